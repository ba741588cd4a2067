/** What a server's answer to a health check says. */
import type { HealthCheck } from '../config/model.ts';

/** What one look at a server found. `not-ready`: it asks for time, which is no crash. `text` is the cause, for people. */
export type Look = { readonly kind: 'passed' } | { readonly kind: 'failed' | 'not-ready'; readonly text: string };

/** The head of an answer, as far as a check looks at it. */
export interface CheckAnswer {
  readonly status: number;
  /** It carried `Retry-After`: with 503 it says when to come again (RFC 9110 section 10.2.3). */
  readonly retryAfter: boolean;
}

export function judgeAnswer(check: HealthCheck, answer: CheckAnswer): Look {
  const { status, retryAfter } = answer;
  const passes = check.expect === null ? status >= 200 && status < 400 : check.expect.includes(status);
  if (passes) return { kind: 'passed' };
  const text = `GET ${check.path} was answered ${status}`;
  return { kind: status === 503 && retryAfter ? 'not-ready' : 'failed', text };
}
