/* bcryptprimitives.dll for a Wine that has none: random octets from the older function of Windows. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(void *octets, ULONG size);

__declspec(dllexport) BOOL WINAPI ProcessPrng(unsigned char *octets, size_t size)
{
    return SystemFunction036(octets, (ULONG)size);
}
