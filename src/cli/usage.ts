/** What `cutover -h` shows: the thesis's text for its flags (section 5.5), then the commands. */
export const USAGE = `Usage of cutover:
  cutover [flags]              start the proxy (the same as: cutover run [flags])
  cutover COMMAND [flags]      see below

Flags (one dash or two, the value after "=" or as the next word):
  -configFile="./config.json"  Set the location of the configuration file (also --config)
                               that should contain configuration to start the proxy,
                               for example:
                                 {
                                   "proxy": { "port": 1235 },
                                   "configService": { "port": 9090 },
                                   "cluster": {
                                     "servers": [
                                       {"hostname": "127.0.0.1", "port": 1034},
                                       {"hostname": "127.0.0.1", "port": 1035}
                                     ],
                                     "version": "1.0"
                                   }
                                 }
  -logLevel="WARN"             Set the log level as "CRITICAL", "ERROR", "WARNING",
                               "NOTICE", "INFO" or "DEBUG" (also --log-level)
  -logFormat="text"            Set the form of log lines as "text" or "json" (also --log-format)
  -version                     Displays the version of cutover
  -h                           Displays this message

Commands (cutover COMMAND -h shows the flags of each):
  run                          start the proxy
  check FILE                   check a configuration file
  put [FILE]                   add a version to the running proxy; prints its id
  list                         list the versions, newest first
  show ID                      show one version
  delete ID                    delete one version
  promote ID                   release a version now; once it is released, trust it now
  pause ID                     stop a release where it stands
  resume ID                    let a paused release go on
  rollback ID                  take a version on trial back, or go back from the stable one
  status [ID]                  show where a version stands; without ID, what was counted
  ledger [ID]                  show what became of releases, the latest first
  reload                       read the configuration again, and start newly installed code

Exit codes: 0 done, 1 failed, 2 wrong usage or a wrong configuration file
`;
