; PATH with one folder more or less, however long it is: NSIS's own strings end after 1,024 characters, and what was
; cut off would be lost. So the value never becomes one of them: it stays in memory that Windows' functions work on.

!define ENVIRONMENT_OF_MACHINE "SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
!define AddToPath "!insertmacro CHANGE_PATH 1"
!define RemoveFromPath "!insertmacro CHANGE_PATH 0"

; $0 the key, $1 the value as ;one;two; in memory, $2 its type, $3 and $4 octets or addresses, $5 where FOLDER stands.
!macro CHANGE_PATH ADD FOLDER
  ${If} $MultiUser.InstallMode == "AllUsers"
    System::Call 'advapi32::RegCreateKeyExW(p 0x80000002, w "${ENVIRONMENT_OF_MACHINE}", i 0, p 0, i 0, i 0x20103, \
      p 0, *p .r0, p 0) i .r3'
  ${Else}
    System::Call 'advapi32::RegCreateKeyExW(p 0x80000001, w "Environment", i 0, p 0, i 0, i 0x20103, \
      p 0, *p .r0, p 0) i .r3'
  ${EndIf}
  ${If} $3 = 0
    StrCpy $4 0
    System::Call 'advapi32::RegQueryValueExW(p r0, w "Path", p 0, *i .r2, p 0, *i r4r4) i .r3'
    ${If} $3 <> 0 ; there is no PATH yet
      StrCpy $2 2 ; REG_EXPAND_SZ
      StrCpy $4 0
    ${EndIf}
    StrLen $5 "${FOLDER}"
    IntOp $3 $5 * 2
    IntOp $3 $3 + $4
    IntOp $3 $3 + 16
    System::Call 'kernel32::GlobalAlloc(i 0x40, p r3) p .r1' ; zeroed
    System::Call 'kernel32::lstrcpyW(p r1, w ";")'
    ${If} $4 > 0
      IntPtrOp $3 $1 + 2
      System::Call 'advapi32::RegQueryValueExW(p r0, w "Path", p 0, p 0, p r3, *i r4)'
    ${EndIf}
    System::Call 'kernel32::lstrcatW(p r1, w ";")'
    ; Out with the folder wherever it stands, so that it is never there twice.
    ${Do}
      System::Call 'shlwapi::StrStrIW(p r1, w ";${FOLDER};") p .r5'
      ${If} $5 P= 0
        ${ExitDo}
      ${EndIf}
      StrLen $3 ";${FOLDER}"
      IntOp $3 $3 * 2
      IntPtrOp $3 $5 + $3
      System::Call 'kernel32::lstrlenW(p r3) i .r4'
      IntOp $4 $4 + 1
      IntOp $4 $4 * 2
      System::Call 'ntdll::memmove(p r5, p r3, p r4)'
    ${Loop}
    !if ${ADD} == 1
      System::Call 'kernel32::lstrlenW(p r1) i .r4'
      ${If} $4 = 2 ; two semicolons: nothing else was there
        System::Call 'kernel32::lstrcpyW(p r1, w ";")'
      ${EndIf}
      System::Call 'kernel32::lstrcatW(p r1, w "${FOLDER};")'
    !endif
    ; Written without the semicolons around it, with the zero behind it.
    System::Call 'kernel32::lstrlenW(p r1) i .r4'
    IntOp $4 $4 - 1
    IntOp $3 $4 * 2
    IntPtrOp $3 $1 + $3
    System::Call '*$3(&i2 0)'
    IntPtrOp $3 $1 + 2
    IntOp $4 $4 * 2
    ${If} $4 > 2
      System::Call 'advapi32::RegSetValueExW(p r0, w "Path", i 0, i r2, p r3, i r4)'
    ${Else}
      System::Call 'advapi32::RegDeleteValueW(p r0, w "Path")'
    ${EndIf}
    System::Call 'kernel32::GlobalFree(p r1)'
    System::Call 'advapi32::RegCloseKey(p r0)'
    SendMessage 0xFFFF 0x001A 0 "STR:Environment" /TIMEOUT=2000
  ${EndIf}
!macroend
