package configs

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// lineScanner finds the line of every key of a TOML text, which the parser does not tell, and the extent of every statement.
// It understands headers, arrays of tables, dotted and quoted keys, inline tables and arrays over several lines and all four strings.
// What a key is worth it leaves to the parser; on texts that the parser refuses it is lax, and never fails.
type lineScanner struct {
	text string
	at   int // byte offset
	row  int // lines begun before at, from 0

	arrays     map[string]int // arrays of tables: items so far
	lines      map[string]keyLine
	statements []statement
	tooDeep    int // line where nesting passes maxDepth; 0: nowhere
}

// keyLine is where a key was first mentioned.
type keyLine struct {
	line  int // from 1
	order int // among all keys
}

// statement is a header or key = value.
type statement struct {
	first, last int // lines from 1
	start, end  int // byte offsets
	path        string
	keys        []string // of a key = value: under which table it stands, and its own
	header      bool
	whole       bool // ends where a line does, with every bracket closed
}

// maxDepth bounds the nesting of a config; nothing sensible comes near, and deeper ones exhaust the parser.
const maxDepth = 64

// byteOrderMark may stand before the text.
const byteOrderMark = "\xef\xbb\xbf"

// scanLines scans a whole text.
func scanLines(text string) *lineScanner {
	s := &lineScanner{text: text, arrays: map[string]int{}, lines: map[string]keyLine{}}
	if strings.HasPrefix(text, byteOrderMark) {
		s.at = len(byteOrderMark)
	}
	var prefix string
	var prefixKeys []string
	for {
		s.blank()
		if s.at >= len(s.text) {
			return s
		}
		st := statement{first: s.row + 1, start: s.at}
		if s.peek() == '[' {
			st.header = true
			prefixKeys = s.header()
			prefix = s.enter(prefixKeys, st.first, strings.HasPrefix(s.text[st.start:], "[["))
			st.path = prefix
		} else {
			st.path, st.keys = s.keyValue(prefix, prefixKeys, 1)
		}
		st.last, st.end = s.row+1, s.at
		s.space()
		s.comment()
		st.whole = s.at >= len(s.text) || s.peek() == '\n'
		s.toLineEnd() // an unfinished statement: go on at the next line
		s.statements = append(s.statements, st)
	}
}

// place is the key of lines for a path: sub-keys and indices each behind a byte that is in no sensible key.
func place(path, key string) string { return path + "\x00" + key }
func placeItem(path string, i int) string {
	return path + "\x01" + strconv.Itoa(i)
}

// note records the line of a path where it is first mentioned.
func (s *lineScanner) note(path string, line int) {
	if _, known := s.lines[path]; !known {
		s.lines[path] = keyLine{line: line, order: len(s.lines)}
	}
}

// enter returns the path that a header opens: within the last item of every array of tables on the way.
func (s *lineScanner) enter(keys []string, line int, array bool) string {
	path := ""
	for i, k := range keys {
		path = place(path, k)
		s.note(path, line)
		if array && i == len(keys)-1 {
			s.arrays[path]++
		}
		if n := s.arrays[path]; n > 0 {
			path = placeItem(path, n-1)
			s.note(path, line)
		}
	}
	return path
}

// header reads [a.b] or [[a.b]] from the bracket on.
func (s *lineScanner) header() []string {
	for s.peek() == '[' {
		s.at++
	}
	s.space()
	keys := s.dottedKey()
	s.space()
	for i := 0; i < 2 && s.peek() == ']'; i++ {
		s.at++
	}
	return keys
}

// keyValue reads key = value below a path and returns the value's path.
func (s *lineScanner) keyValue(path string, above []string, depth int) (string, []string) {
	line := s.row + 1
	start := s.at
	own := s.dottedKey()
	for _, k := range own {
		path = place(path, k)
		s.note(path, line)
	}
	keys := append(append([]string(nil), above...), own...)
	s.space()
	if s.peek() == '=' {
		s.at++
		s.space()
		s.value(path, depth)
	}
	if s.at == start {
		s.step() // whatever this is, it is not ours to judge
	}
	if len(keys) > maxDepth {
		s.deep()
	}
	return path, keys
}

// deep records that nesting goes too far.
func (s *lineScanner) deep() {
	if s.tooDeep == 0 {
		s.tooDeep = s.row + 1
	}
}

// value reads one value.
func (s *lineScanner) value(path string, depth int) {
	if depth > maxDepth {
		s.deep()
		return
	}
	switch s.peek() {
	case '"', '\'':
		s.quoted()
	case '[':
		s.at++
		for i := 0; ; i++ {
			s.blank()
			if s.closed(']') {
				return
			}
			s.note(placeItem(path, i), s.row+1)
			start := s.at
			s.value(placeItem(path, i), depth+1)
			s.separator(start)
		}
	case '{':
		s.at++
		for {
			s.blank()
			if s.closed('}') {
				return
			}
			start := s.at
			s.keyValue(path, nil, depth+1)
			s.separator(start)
		}
	default:
		for s.at < len(s.text) && !strings.ContainsRune(",]}#\n", rune(s.text[s.at])) {
			s.at++
		}
	}
}

// closed steps over the closing bracket; it is also true at the text's end, and where nesting goes too far.
func (s *lineScanner) closed(bracket byte) bool {
	if s.peek() == bracket {
		s.at++
		return true
	}
	return s.at >= len(s.text) || s.tooDeep > 0
}

// separator steps over a comma between items, and makes sure of going forward.
func (s *lineScanner) separator(start int) {
	s.blank()
	if s.peek() == ',' {
		s.at++
	} else if s.at == start {
		s.step()
	}
}

// dottedKey reads a.b."c d".
func (s *lineScanner) dottedKey() []string {
	var keys []string
	for {
		s.space()
		key, ok := s.simpleKey()
		if !ok {
			return keys
		}
		keys = append(keys, key)
		s.space()
		if s.peek() != '.' {
			return keys
		}
		s.at++
	}
}

// simpleKey reads a bare or a quoted key.
func (s *lineScanner) simpleKey() (string, bool) {
	if c := s.peek(); c == '"' || c == '\'' {
		return s.quoted(), true
	}
	start := s.at
	for s.at < len(s.text) && !strings.ContainsRune(" \t\r\n.=[]{},#\"'", rune(s.text[s.at])) {
		s.at++
	}
	return s.text[start:s.at], s.at > start
}

// quoted reads any of the four strings and returns its text.
func (s *lineScanner) quoted() string {
	q := s.text[s.at]
	if triple := strings.Repeat(string(q), 3); strings.HasPrefix(s.text[s.at:], triple) {
		s.multiline(q, triple)
		return ""
	}
	s.at++
	var b strings.Builder
	for s.at < len(s.text) && s.text[s.at] != '\n' {
		c := s.text[s.at]
		switch {
		case c == q:
			s.at++
			return b.String()
		case c == '\\' && q == '"':
			b.WriteString(s.escape())
		default:
			b.WriteByte(c)
			s.at++
		}
	}
	return b.String()
}

// multiline steps over a string in three quotes, which may end in up to two more.
func (s *lineScanner) multiline(q byte, triple string) {
	s.at += len(triple)
	for s.at < len(s.text) {
		if strings.HasPrefix(s.text[s.at:], triple) {
			s.at += len(triple)
			for i := 0; i < 2 && s.peek() == q; i++ {
				s.at++
			}
			return
		}
		if s.text[s.at] == '\\' && q == '"' && s.at+1 < len(s.text) && s.text[s.at+1] != '\n' {
			s.at++
		}
		s.step()
	}
}

// escapes are those of one letter.
var escapes = map[byte]string{'b': "\b", 't': "\t", 'n': "\n", 'f': "\f", 'r': "\r", 'e': "\x1b", '"': "\"", '\\': "\\"}

// escape reads a backslash and what follows.
func (s *lineScanner) escape() string {
	s.at++
	c := s.peek()
	if c == '\n' || s.at >= len(s.text) {
		return ""
	}
	s.at++
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 || s.at+digits > len(s.text) {
		return escapes[c]
	}
	r, err := strconv.ParseUint(s.text[s.at:s.at+digits], 16, 32)
	if err != nil {
		return ""
	}
	s.at += digits
	return string(utf8.AppendRune(nil, rune(r)))
}

// peek returns the next byte, 0 at the end.
func (s *lineScanner) peek() byte {
	if s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// step goes over one byte and counts lines.
func (s *lineScanner) step() {
	if s.at >= len(s.text) {
		return
	}
	if s.text[s.at] == '\n' {
		s.row++
	}
	s.at++
}

// space goes over blanks within a line.
func (s *lineScanner) space() {
	for c := s.peek(); c == ' ' || c == '\t' || c == '\r'; c = s.peek() {
		s.at++
	}
}

// comment goes over a comment, up to the line's end.
func (s *lineScanner) comment() {
	if s.peek() == '#' {
		s.toLineEnd()
	}
}

// toLineEnd goes to the end of the line, or of the text.
func (s *lineScanner) toLineEnd() {
	if n := strings.IndexByte(s.text[s.at:], '\n'); n >= 0 {
		s.at += n
	} else {
		s.at = len(s.text)
	}
}

// blank goes over blanks, line ends and comments.
func (s *lineScanner) blank() {
	for {
		s.space()
		s.comment()
		if s.peek() != '\n' {
			return
		}
		s.step()
	}
}
