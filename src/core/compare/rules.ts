/** What is compared of an answer and what is left out, made ready for use. */
import type { CompareRules } from '../config/model.ts';
import { type JsonPath, parseJsonPath } from './json-path.ts';
import { Pattern } from './pattern.ts';

export interface ReadyRules {
  /** Header names in lower case, or all. */
  readonly headers: readonly string[] | 'all';
  /** Left out, in lower case. */
  readonly ignoredHeaders: ReadonlySet<string>;
  readonly paths: readonly JsonPath[];
  readonly patterns: readonly Pattern[];
}

/** Fields that belong to a connection or are told in another way; with `"all"` they are not meant. */
const NEVER_COMPARED = [
  'age',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

export function readyRules({ headers, ignoreHeaders, ignoreJson, ignoreBody }: CompareRules): ReadyRules {
  const ignored = ignoreHeaders.map((name) => name.toLowerCase());
  return {
    headers:
      headers === 'all' ? 'all' : headers.map((name) => name.toLowerCase()).filter((name) => !ignored.includes(name)),
    ignoredHeaders: new Set([...NEVER_COMPARED, ...ignored]),
    paths: ignoreJson.flatMap((text) => [parseJsonPath(text) ?? []]).filter((path) => path.length > 0),
    patterns: ignoreBody.map((source) => new Pattern(source)),
  };
}
