/** Texts that the tests of the configuration start from. */
import { expect } from 'vitest';
import type { ClusterSpec, Config, Parsed } from '../../../src/core/config/model.ts';
import { parseCluster, parseConfig } from '../../../src/core/config/parse.ts';

/** A configuration file as an object; `changes` replace whole top-level keys, undefined removes one. */
export function file(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    proxy: { port: 1235 },
    configService: { port: 9090 },
    cluster: { servers: [{ hostname: '127.0.0.1', port: 1034 }], version: '1.0' },
    ...changes,
  });
}

/** The body of a PUT with one server; `changes` as in `file`. */
export function body(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({ cluster: { servers: [{ hostname: '127.0.0.1', port: 1036 }], version: '1.1', ...changes } });
}

export function config(text: string): Config {
  return accepted(parseConfig(text));
}

export function cluster(text: string): ClusterSpec {
  return accepted(parseCluster(text));
}

export function errorsOf(parsed: Parsed<unknown>): readonly string[] {
  expect(parsed.ok).toBe(false);
  return parsed.ok ? [] : parsed.errors;
}

export function warningsOf(parsed: Parsed<unknown>): readonly string[] {
  accepted(parsed);
  return parsed.ok ? parsed.warnings : [];
}

function accepted<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
  return parsed.value;
}
