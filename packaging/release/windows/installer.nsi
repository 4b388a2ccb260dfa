; The installer for Windows, compiled by `python3 packaging/build.py windows`, which defines NAME, VERSION, NUMBERS,
; PUBLISHER, SUMMARY, COMMAND, WINDOW_COMMAND, PAYLOAD (the frozen folder), FILES (lists made from it), LICENCE, ICON,
; OUTPUT, and SIGN (a command) where there is a certificate.
;
; Silent: setup.exe /S [/CurrentUser | /AllUsers] [/D=FOLDER]; uninstall.exe /S [/SETTINGS]. Exit status 0 done,
; 2 stopped, 3 refused since Cosemscope is running.

Unicode true
Target amd64-unicode
SetCompressor ${COMPRESSION}
SetDateSave off
ManifestDPIAware true
XPStyle on

!define REGISTERED "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"
!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_MUI
!define MULTIUSER_INSTALLMODE_COMMANDLINE
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_INSTALLMODE_INSTDIR "${NAME}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "${REGISTERED}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "InstallLocation"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_KEY "${REGISTERED}"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_VALUENAME "InstallLocation"
!define MULTIUSER_INSTALLMODE_DEFAULT_CURRENTUSER
!include MultiUser.nsh
!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh
!include x64.nsh
!include path.nsh
!include "${FILES}"

Name "${NAME}"
OutFile "${OUTPUT}"
BrandingText "${NAME} ${VERSION}"
VIProductVersion "${NUMBERS}"
VIFileVersion "${NUMBERS}"
VIAddVersionKey CompanyName "${PUBLISHER}"
VIAddVersionKey FileDescription "${NAME} installer: ${SUMMARY}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey LegalCopyright "${COPYRIGHT}"
VIAddVersionKey ProductName "${NAME}"
VIAddVersionKey ProductVersion "${VERSION}"
!ifdef SIGN
  !uninstfinalize '${SIGN} "%1"' = 0
!endif

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\${WINDOW_COMMAND}.exe"
!define MUI_FINISHPAGE_RUN_TEXT "Start ${NAME}"
!define MUI_FINISHPAGE_LINK "Npcap, which live capture needs (opening captures does not)"
!define MUI_FINISHPAGE_LINK_LOCATION "https://npcap.com/"
!insertmacro MUI_PAGE_LICENSE "${LICENCE}"
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_COMPONENTS
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE English

; A program that runs cannot be written: whoever opens it for writing is refused by Windows.
!macro REFUSE_WHILE_RUNNING NAME_OF_PROGRAM
  ${If} ${FileExists} "$INSTDIR\${NAME_OF_PROGRAM}.exe"
    ClearErrors
    FileOpen $0 "$INSTDIR\${NAME_OF_PROGRAM}.exe" a
    ${If} ${Errors}
      MessageBox MB_OK|MB_ICONSTOP "${NAME} is running, or you may not write to $INSTDIR. Close its windows and \
        captures, then start this again. Nothing has been changed." /SD IDOK
      SetErrorLevel 3
      Quit
    ${EndIf}
    FileClose $0
  ${EndIf}
!macroend

!macro ON_START PREFIX
  ${IfNot} ${RunningX64}
    MessageBox MB_OK|MB_ICONSTOP "${NAME} needs a 64-bit Windows (10 or newer)." /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
  SetRegView 64
  !insertmacro MULTIUSER_${PREFIX}INIT
!macroend

Function .onInit
  !insertmacro ON_START ""
FunctionEnd

Function un.onInit
  !insertmacro ON_START UN
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/SETTINGS" $1
  ${IfNot} ${Errors}
    SectionGetFlags 1 $2
    IntOp $2 $2 | ${SF_SELECTED}
    SectionSetFlags 1 $2
  ${EndIf}
FunctionEnd

Section "${NAME}"
  SectionIn RO
  !insertmacro REFUSE_WHILE_RUNNING "${COMMAND}"
  !insertmacro REFUSE_WHILE_RUNNING "${WINDOW_COMMAND}"
  ; What an older version brought goes first, by its own list; settings stay.
  ${If} ${FileExists} "$INSTDIR\uninstall.exe"
    ExecWait '"$INSTDIR\uninstall.exe" /S /$MultiUser.InstallMode _?=$INSTDIR' $0
    ${If} $0 <> 0
      MessageBox MB_OK|MB_ICONSTOP "The older version in $INSTDIR could not be removed (status $0). Remove it in \
        Windows' settings, then start this again." /SD IDOK
      SetErrorLevel 2
      Quit
    ${EndIf}
  ${EndIf}
  !insertmacro INSTALL_FILES
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\uninstall.exe"

  WriteRegStr SHCTX "${REGISTERED}" DisplayName "${NAME}"
  WriteRegStr SHCTX "${REGISTERED}" DisplayVersion "${VERSION}"
  WriteRegStr SHCTX "${REGISTERED}" DisplayIcon "$INSTDIR\${WINDOW_COMMAND}.exe"
  WriteRegStr SHCTX "${REGISTERED}" Publisher "${PUBLISHER}"
  WriteRegStr SHCTX "${REGISTERED}" InstallLocation "$INSTDIR"
  WriteRegStr SHCTX "${REGISTERED}" UninstallString '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode'
  WriteRegStr SHCTX "${REGISTERED}" QuietUninstallString '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode /S'
  WriteRegDWORD SHCTX "${REGISTERED}" NoModify 1
  WriteRegDWORD SHCTX "${REGISTERED}" NoRepair 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD SHCTX "${REGISTERED}" EstimatedSize $0

  ; "Open with" for captures; which program is the default stays the user's choice.
  !insertmacro REGISTER_TYPES
  ${RefreshShellIcons}
SectionEnd

Section "Start menu"
  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${WINDOW_COMMAND}.exe" "" "" "" SW_SHOWNORMAL "" "${SUMMARY}"
SectionEnd

Section "cosemscope in command prompts (PATH)"
  ${AddToPath} "$INSTDIR"
SectionEnd

Section "un.${NAME}"
  SectionIn RO
  !insertmacro REFUSE_WHILE_RUNNING "${COMMAND}"
  !insertmacro REFUSE_WHILE_RUNNING "${WINDOW_COMMAND}"
  ${RemoveFromPath} "$INSTDIR"
  Delete "$SMPROGRAMS\${NAME}.lnk"
  !insertmacro UNREGISTER_TYPES
  DeleteRegKey SHCTX "${REGISTERED}"
  !insertmacro REMOVE_FILES
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  ${RefreshShellIcons}
SectionEnd

Section /o "un.My settings and unsaved captures"
  RMDir /r "$APPDATA\${NAME}"
  RMDir /r "$LOCALAPPDATA\${NAME}"
SectionEnd
