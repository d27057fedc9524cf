package data

import "encoding/binary"

// exifOrientation is how a JPEG file says that it is to be turned, 1 to 8; 1 (as it is) where it says nothing that can be read.
// Source: CIPA DC-008 (Exif 2.32), sections 4.5 (the APP1 segment) and 4.6.4 (tag 0x0112).
func exifOrientation(b []byte) int {
	const asIs = 1
	at := 2                                                  // behind the start of the image
	for at+4 <= len(b) && b[at] == 0xff && b[at+1] != 0xda { // segments, up to the scan
		size := int(binary.BigEndian.Uint16(b[at+2:]))
		end := at + 2 + size
		if size < 2 || end > len(b) {
			return asIs
		}
		if body := b[at+4 : end]; b[at+1] == 0xe1 && len(body) > 6 && string(body[:6]) == "Exif\x00\x00" {
			if o := tiffOrientation(body[6:]); o >= 1 && o <= 8 {
				return o
			}
			return asIs
		}
		at = end
	}
	return asIs
}

// tiffOrientation finds the tag in the first directory of a TIFF structure; 0 where there is none.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(b[:2]) == "MM" {
		order = binary.BigEndian
	} else if string(b[:2]) != "II" {
		return 0
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 0
	}
	const entry, orientation, short = 12, 0x0112, 3
	n := int64(order.Uint16(b[at:]))
	for i := range n {
		from := at + 2 + i*entry
		if from+entry > int64(len(b)) {
			return 0
		}
		if e := b[from:]; order.Uint16(e) == orientation && order.Uint16(e[2:]) == short {
			return int(order.Uint16(e[8:]))
		}
	}
	return 0
}
