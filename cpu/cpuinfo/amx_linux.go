//go:build linux && amd64 && !noasm

package cpuinfo

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// Linux asks a process to request the tiles before it uses them (Documentation/arch/x86/xstate.rst): from then on signal frames may
// be larger. It refuses where a thread's stack for signals is smaller than such a frame, of 11 to 12 KB on processors with AMX (it is
// AT_MINSIGSTKSZ of getauxval); Go's have 32 KB, of which its handlers need a few. A thread's first use of a tile then gives it
// memory for them; if there is none, the process gets SIGSEGV.
const (
	archGetXCompSupp = 0x1021
	archReqXCompPerm = 0x1023
	xtileData        = 18
)

// systemAMX is whether Linux, from 5.16 on, manages tiles. Asking changes nothing.
func systemAMX() bool {
	var features uint64
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archGetXCompSupp, uintptr(unsafe.Pointer(&features)), 0)
	return errno == 0 && features>>xtileData&1 != 0
}

var amx = cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && systemAMX()

var requestAMX = sync.OnceValue(func() error {
	if !AMX() {
		return errNoAMX
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archReqXCompPerm, xtileData, 0); errno != 0 {
		return fmt.Errorf("the system does not let this process use AMX (arch_prctl): %w", errno)
	}
	return nil
})
