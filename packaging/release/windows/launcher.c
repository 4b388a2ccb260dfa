/* python.exe for the frozen program's making: loads the Python DLL beside it and hands over.
   Built with -DPYTHON_DLL=L"python311.dll" -municode. */
#include <windows.h>

typedef int (*main_function)(int, wchar_t **);

int wmain(int count, wchar_t **words)
{
    HMODULE python = LoadLibraryW(PYTHON_DLL);
    main_function run = python ? (main_function)(void *)GetProcAddress(python, "Py_Main") : NULL;
    return run ? run(count, words) : 3;
}
