/** The values of flags: each reads a word or throws what commander shows as a usage error. */
import { InvalidArgumentError } from 'commander';
import { parseHost } from '../core/config/address.ts';
import { LOG_LEVELS_ALLOWED, parseLogLevel } from '../core/config/log-level.ts';
import { type LogFormat, type LogLevel, MODES, type Mode, type ServerAddress } from '../core/config/model.ts';

export function nonEmpty(word: string): string {
  return word !== '' ? word : refuse('It needs a value');
}

export function logLevel(word: string): LogLevel {
  return parseLogLevel(word) ?? refuse(`Allowed are ${LOG_LEVELS_ALLOWED}`);
}

export function logFormat(word: string): LogFormat {
  return word === 'text' || word === 'json' ? word : refuse('Allowed are "text" and "json"');
}

export function mode(word: string): Mode {
  const name = word.toUpperCase();
  return MODES.find((known) => known === name) ?? refuse(`Allowed are ${MODES.join(', ')}`);
}

export function number(word: string): number {
  const value = word.trim() === '' ? Number.NaN : Number(word);
  return Number.isFinite(value) ? value : refuse('A number is needed');
}

/** Collects `host:port`, `1.2.3.4:80`, `[::1]:80`. */
export function servers(word: string, before: readonly ServerAddress[] = []): readonly ServerAddress[] {
  const match = /^(.+):(\d{1,5})$/.exec(word);
  const host = parseHost(match?.[1] ?? '');
  const port = Number(match?.[2]);
  const plain = host?.includes(':') !== true || word.startsWith('[');
  if (host === null || !plain || port < 1 || port > 65_535)
    return refuse('HOST:PORT is needed, with a port from 1 to 65535');
  return [...before, { host, port }];
}

/** A base URL; `http://` may be left out. */
export function url(word: string): string {
  const text = /^https?:\/\//i.test(word) ? word : `http://${word}`;
  return URL.canParse(text) ? new URL(text).origin : refuse('A URL such as http://127.0.0.1:9090 is needed');
}

function refuse(reason: string): never {
  throw new InvalidArgumentError(reason);
}
