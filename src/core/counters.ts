/**
 * What a data plane counts beside the figures of a version: plain numbers, never reset. `docs/limits.md` says which
 * limit raises which.
 */
import type { OwnStatus } from './http/own-answers.ts';

export interface Counters {
  exchanges: number;
  /** Requests of a CONCURRENT release that went to one version because too many dropped answers were running. */
  fanOutSkipped: number;
  /** Answers of the proxy's own, by their status. */
  readonly ownAnswers: Record<OwnStatus, number>;
  /** Client connections beyond `limits.connections`. */
  connectionsRefused: number;
  /** Clients too slow with a header (`timeouts.clientHeader`), or with a body (`timeouts.idleBody`). */
  headerTimeouts: number;
  bodyTimeouts: number;
  /** Clients that did not take what was sent to them. */
  readerTimeouts: number;
  /** Client connections closed because nothing was asked on them (`timeouts.clientIdle`). */
  clientsIdle: number;
  /** Attempts that ended by `timeouts.connect`, by `timeouts.response`, or by the silence of a server inside a message. */
  connectTimeouts: number;
  responseTimeouts: number;
  answerTimeouts: number;
  /** Server connections closed because they were not used (`timeouts.upstreamIdle`). */
  upstreamsIdle: number;
  /** Exchanges that took longer than `timeouts.total`. */
  totalTimeouts: number;
  /** Tunnels closed because a side of them did not end or did not take what was sent to it. */
  tunnelTimeouts: number;
  /** Bodies and answers that were not kept for want of room (`limits.bufferBytes`). */
  buffersFull: number;
  /** Attempts for which this machine had no file descriptor, port or memory. */
  exhausted: number;
}

/** Counters by their names; `ownAnswers.408` is a part of one. Several processes are added up in this form. */
export type CounterValues = Readonly<Record<string, number>>;

/** As the REST API shows them. */
export interface CountersView {
  /** Since when they are counted, RFC 3339. */
  readonly since: string;
  readonly counters: CounterValues;
}

export function valuesOf({ ownAnswers, ...others }: Readonly<Counters>): CounterValues {
  const values: Record<string, number> = others;
  for (const [status, count] of Object.entries(ownAnswers)) values[`ownAnswers.${status}`] = count;
  return values;
}

export function newCounters(): Counters {
  return {
    exchanges: 0,
    fanOutSkipped: 0,
    ownAnswers: {
      200: 0,
      400: 0,
      408: 0,
      413: 0,
      414: 0,
      417: 0,
      431: 0,
      500: 0,
      501: 0,
      502: 0,
      503: 0,
      504: 0,
      505: 0,
      508: 0,
    },
    connectionsRefused: 0,
    headerTimeouts: 0,
    bodyTimeouts: 0,
    readerTimeouts: 0,
    clientsIdle: 0,
    connectTimeouts: 0,
    responseTimeouts: 0,
    answerTimeouts: 0,
    upstreamsIdle: 0,
    totalTimeouts: 0,
    tunnelTimeouts: 0,
    buffersFull: 0,
    exhausted: 0,
  };
}
