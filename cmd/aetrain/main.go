// Command aetrain trains, evaluates and uses autoencoders.
//
// Every subcommand is one file: a struct of options that flags fill, and a function that does the work through the packages
// (train.go and [runTrain] are the ones to read first). command.go has the table of commands, main turns errors into exit codes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"aetrain/configs"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit codes. An interrupted command ends with signalBase and the signal's number: 130 or 143.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	signalBase = 128
)

// run is the whole command; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := interruptible(context.Background())
	defer stop()
	err := dispatch(ctx, args, stdout, stderr)
	if err == nil {
		return exitDone
	}
	var by *interrupt
	if errors.As(context.Cause(ctx), &by) {
		if errors.Is(err, context.Canceled) {
			err = by
		}
		fmt.Fprintln(stderr, sentence(err))
		return signalBase + int(by.signal)
	}
	fmt.Fprintln(stderr, sentence(err))
	if isUsage(err) {
		return exitUsage
	}
	return exitFailed
}

// sentence is how an error is shown: mistakes in a config begin with their place, the others with the command's name.
func sentence(err error) string {
	if configs.IsMistake(err) {
		return err.Error()
	}
	return "aetrain: " + err.Error()
}

// usageError is a mistake on the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// isUsage reports whether an error is the user's to mend in the command line or in the config.
func isUsage(err error) bool {
	var usage *usageError
	return errors.As(err, &usage) || configs.IsMistake(err)
}

// interrupt is the cause of a context that a signal has ended.
type interrupt struct{ signal syscall.Signal }

func (e *interrupt) Error() string {
	if e.signal == syscall.SIGINT {
		return "interrupted"
	}
	return "interrupted: " + e.signal.String()
}

// interruptible returns a context that the first SIGINT or SIGTERM ends, so that work can be put away; the second one ends the process.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for s := range signals {
			number, _ := s.(syscall.Signal)
			if ctx.Err() != nil {
				os.Exit(signalBase + int(number))
			}
			cancel(&interrupt{number})
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}
