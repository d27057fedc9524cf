/* The part of NVML's C interface that this package uses. gpu/tools/check_api.c compares it with the real header. */
#ifndef AE_NVML_API_H
#define AE_NVML_API_H

typedef struct ae_nvml *NvmlDevice;
enum { AE_NVML_SUCCESS = 0 };

int nvmlInit_v2(void);
int nvmlShutdown(void);
const char *nvmlErrorString(int);
int nvmlSystemGetDriverVersion(char *version, unsigned length);
int nvmlDeviceGetHandleByPciBusId_v2(const char *pci, NvmlDevice *);
int nvmlDeviceGetTotalEnergyConsumption(NvmlDevice, unsigned long long *millijoules);
int nvmlDeviceGetPowerUsage(NvmlDevice, unsigned *milliwatts);
#endif
