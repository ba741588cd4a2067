import type { ClusterSpec, Config, Parsed } from './model.ts';

/** What a version takes from the configuration when its PUT leaves it out. */
export interface ClusterDefaults {
  /** `timeouts.response` of the configuration. */
  readonly responseTimeoutMs: number;
}

/** Parses a configuration file's text. */
export function parseConfig(text: string): Parsed<Config> {
  throw new Error(`Not written yet (${text.length} chars)`);
}

/** Parses the body of a PUT: `{"cluster": {...}}`. */
export function parseCluster(
  body: string,
  defaults: ClusterDefaults = { responseTimeoutMs: 30_000 },
): Parsed<ClusterSpec> {
  throw new Error(`Not written yet (${body.length} chars, ${defaults.responseTimeoutMs})`);
}
