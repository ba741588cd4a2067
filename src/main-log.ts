/** The log of the main process: a reload may change its level and form. */
import type { LogFormat, LogLevel } from './core/config/model.ts';
import { createLog, type Log, type LogFacts, type ProcessLog } from './system/log.ts';
import type { LogDestination } from './system/log-destination.ts';

export interface MainLogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

export class MainLog implements Log {
  readonly #destination: LogDestination;
  #log: ProcessLog;

  constructor(settings: MainLogSettings, destination: LogDestination) {
    this.#destination = destination;
    this.#log = createLog({ ...settings, destination });
  }

  use(settings: MainLogSettings): void {
    this.#log = createLog({ ...settings, destination: this.#destination });
  }

  enabled(level: LogLevel): boolean {
    return this.#log.enabled(level);
  }

  write(level: LogLevel, component: string, text: string, facts?: LogFacts): void {
    this.#log.write(level, component, text, facts);
  }

  always(level: LogLevel, component: string, text: string): void {
    this.#log.always(level, component, text);
  }

  flush(): void {
    this.#log.flush();
  }

  dropped(): number {
    return this.#log.dropped();
  }
}
