//go:build !linux || !amd64 || noasm

package cpuinfo

const amx = false

func requestAMX() error { return errNoAMX }
