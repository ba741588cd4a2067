/**
 * Cutover as a library: the whole proxy in the calling process.
 *
 * @example
 * const cutover = await startCutover({ config: { proxy: { port: 8080 }, configService: { port: 9090 }, cluster: { … } } });
 */
import { assemble } from './assemble.ts';
import { parseConfig } from './core/config/parse.ts';
import type { Counters } from './core/counters.ts';
import type { Log } from './system/log.ts';

export type { Counters } from './core/counters.ts';
export type { Log, LogFacts } from './system/log.ts';

export interface Cutover {
  /** The ports that were opened; they differ from the configured ones where those are 0. */
  readonly proxyPort: number;
  readonly configPort: number;
  /** What the data plane has counted since it began (docs/limits.md); read it at any time. */
  readonly counters: Readonly<Counters>;
  /** Drains as SIGTERM does: exchanges in flight finish, at the latest after `timeouts.drain`. */
  close(): Promise<void>;
}

export interface StartOptions {
  /**
   * What a configuration file holds: the same keys, units and defaults (docs/configuration.md); but no state is kept, unless
   * `state.file` says where. A relative path counts from the process's folder.
   */
  readonly config: unknown;
  /** Where log lines go; nowhere by default. */
  readonly log?: Log;
}

/**
 * Starts Cutover. Rejects with one line per fault of the configuration, when a port can't be opened, and when the state can't be
 * used.
 */
export async function startCutover(options: StartOptions): Promise<Cutover> {
  const parsed = parseConfig(JSON.stringify(options.config) ?? '');
  if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
  const log = options.log ?? SILENT;
  for (const warning of parsed.warnings) log.write('WARNING', 'config', warning);
  const cutover = await assemble(parsed.value, log);
  const { proxyPort, configPort, counters } = cutover;
  return { proxyPort, configPort, counters, close: () => cutover.drain() };
}

const SILENT: Log = { enabled: () => false, write: () => {}, always: () => {} };
