/**
 * What a version did lately, as far as it is needed to hold a newer one against it: its last thousand requests, in a few
 * buckets, the latest first. It stands still while a newer version is on trial, so it says what was before.
 */
import type { Served } from './baseline.ts';

export type Recent = readonly Served[];

const REQUESTS = 1000;
const BUCKET_REQUESTS = 100;

export const NOTHING_SERVED: Served = { requests: 0, failures: 0, unpaired: 0 };

/** The window with these requests in front; whole buckets leave at its end while a thousand requests remain. */
export function withServed(recent: Recent, served: Served): Recent {
  const [latest, ...rest] = recent;
  const open = latest !== undefined && latest.requests < BUCKET_REQUESTS;
  const buckets = open ? [sum(latest, served), ...rest] : [served, ...recent];
  let requests = 0;
  const end = buckets.findIndex((bucket) => {
    requests += bucket.requests;
    return requests >= REQUESTS;
  });
  return end < 0 ? buckets : buckets.slice(0, end + 1);
}

export function servedLately(recent: Recent): Served {
  return recent.reduce(sum, NOTHING_SERVED);
}

function sum(a: Served, b: Served): Served {
  return {
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    unpaired: a.unpaired + b.unpaired,
  };
}
