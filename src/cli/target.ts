/** Which config service a command talks to, and with what token. */
import type { Command } from 'commander';
import { type Client, createClient } from '../client.ts';
import { hostPort } from '../core/config/address.ts';
import type { Config } from '../core/config/model.ts';
import { Failure, type Terminal } from './terminal.ts';
import { nonEmpty, url } from './values.ts';

export interface TargetFlags {
  readonly url?: string;
  readonly config?: string;
  readonly tokenFile?: string;
}

const DEFAULT_URL = 'http://127.0.0.1:9090';

/** Adds the flags that say where the config service is. */
export function withTarget(command: Command): Command {
  return command
    .option('--url <url>', `where the config service listens (default: ${DEFAULT_URL})`, url)
    .option('--config <file>', "take address and token from the proxy's configuration file", nonEmpty)
    .option(
      '--token-file <file>',
      'a file that holds the token (else: the environment variable CUTOVER_TOKEN)',
      nonEmpty,
    );
}

/** A client for what the flags say: a flag counts before the environment, and that before the configuration file. */
export async function clientFor(flags: TargetFlags, { env }: Terminal, timeoutMs?: number): Promise<Client> {
  const config = flags.config === undefined ? null : await configOf(flags.config);
  const token =
    flags.tokenFile === undefined ? env.CUTOVER_TOKEN || config?.configService.token : await tokenOf(flags.tokenFile);
  const address = flags.url ?? (config === null ? DEFAULT_URL : addressOf(config));
  return createClient({ url: address, token: token ?? null, ...(timeoutMs !== undefined && { timeoutMs }) });
}

// Loaded where they are needed: the schema of a configuration is large, and the proxy's main process has this file too.

async function configOf(file: string): Promise<Config> {
  const { loadConfig } = await import('../load-config.ts');
  const loaded = loadConfig(file);
  if (!loaded.ok) throw new Failure(loaded.errors.join('\n'), 2);
  return loaded.config;
}

async function tokenOf(file: string): Promise<string> {
  const { readToken } = await import('../load-config.ts');
  const read = readToken(file);
  if (!read.ok) throw new Failure(read.reason, 2);
  return read.token;
}

function addressOf({ configService }: Config): string {
  const { hostname, port } = configService;
  if (port === 0) throw new Failure('"configService.port" is 0, any free port: name the one in use with --url', 2);
  // A wildcard is an address to listen on, not one to call.
  const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return `http://${hostPort(wildcards[hostname] ?? hostname, port)}`;
}
