//go:build gpu && cgo

package driver

import (
	"strings"
	"testing"
)

func TestCompile(t *testing.T) {
	onDevice(t, func(c *Context) {
		n, err := OpenNVRTC()
		if err != nil {
			t.Skip("no NVRTC: ", err)
		}
		if major, _, _ := strings.Cut(n.Version(), "."); major != "12" && major != "13" {
			t.Errorf("the version is %s", n.Version())
		}
		info := c.Info()
		_, err = n.Compile("broken.cu", "extern \"C\" __global__ void broken(float* x) { x[0] = nothing; }", nil, info.Major, info.Minor)
		wantError(t, err, "nvrtcCompileProgram of broken.cu for ", "(6)", "nothing")
		const source = "#include \"twice.h\"\nextern \"C\" __global__ void fine(float* x) { x[0] = twice(x[0]); }"
		image, err := n.Compile("fine.cu", source, map[string]string{"twice.h": "__device__ float twice(float v) { return 2 * v; }", "b.h": ""}, info.Major, info.Minor)
		ok(t, err)
		m, err := LoadModule(image)
		ok(t, err)
		f, err := m.Function("fine")
		ok(t, err)
		s, x := stream(t), upload(t, []float32{21})
		ok(t, Launch(f, [3]int{1, 1, 1}, [3]int{1, 1, 1}, 0, s, x))
		ok(t, s.Synchronize())
		if got := download[float32](t, x, 1); got[0] != 42 {
			t.Errorf("got %g, want 42", got[0])
		}
		_, err = m.Function("missing")
		wantError(t, err, "cuModuleGetFunction of missing: ", "(500)")
		ok(t, m.Unload())
	})
}

// The target is the newest that the compiler knows and the device can run.
func TestArchitecture(t *testing.T) {
	for _, tt := range []struct {
		name       string
		c          NVRTC
		capability int
		target     string
		image      bool
	}{
		{"known", NVRTC{archs: []int{70, 80, 90}}, 80, "compute_80", false},
		{"between", NVRTC{archs: []int{70, 80, 90}}, 86, "compute_80", false},
		{"newer", NVRTC{archs: []int{70, 80, 90}}, 120, "compute_90", false},
		{"older", NVRTC{archs: []int{75, 80}}, 70, "compute_70", false}, // the compiler says that it cannot
		{"old driver", NVRTC{archs: []int{80, 90}, image: true}, 90, "sm_90", true},
		{"old driver, new chip", NVRTC{archs: []int{80, 90}, image: true}, 100, "compute_90", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if target, image := tt.c.architecture(tt.capability); target != tt.target || image != tt.image {
				t.Errorf("%s, %v; want %s, %v", target, image, tt.target, tt.image)
			}
		})
	}
}
