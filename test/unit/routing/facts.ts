/** Routes and requests to decide on. */
import { bucketOf } from '../../../src/core/routing/bucket.ts';
import type { RequestFacts } from '../../../src/core/routing/request-facts.ts';
import type { Route } from '../../../src/core/routing/table.ts';

export function route(id: string, options: Partial<Route> = {}): Route {
  return {
    id,
    service: 'default',
    version: id,
    epoch: 1,
    mode: 'INSTANT',
    released: true,
    dormant: false,
    onTrial: false,
    servers: [{ key: `${id}:80`, host: id, port: 80, weight: 1 }],
    sessionTimeoutS: options.mode === 'SESSION' ? 60 : 0,
    percentagePerRequest: options.mode === 'GRADUAL' ? 1 : 0,
    bucketKey: 'cookie',
    versions: options.mode === 'CONCURRENT' ? 2 : 1,
    patienceMs: 1000,
    duplicatedMethods: null,
    compare: null,
    responseTimeoutMs: 30_000,
    holdBytes: 65_536,
    holdMs: 250,
    ...options,
  };
}

export interface Asked {
  readonly method?: string;
  readonly sessionId?: string;
  /** What the client holds; without it one is drawn. */
  readonly transitionId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ip?: string;
}

export const DRAWN_ID = '10671a7f-2087-11e4-bf9e-600308a8245e';

export function facts(asked: Asked = {}): RequestFacts {
  return {
    method: asked.method ?? 'GET',
    sessionId: () => asked.sessionId ?? '',
    transitionId: () => asked.transitionId ?? DRAWN_ID,
    transitionBucket: () => bucketOf(asked.transitionId ?? DRAWN_ID),
    transitionIsNew: () => asked.transitionId === undefined,
    header: (name) => asked.headers?.[name] ?? '',
    ip: () => asked.ip ?? '192.0.2.1',
  };
}
