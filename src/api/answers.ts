/** What the calls of the REST API have in common: how a request is read, and how it is answered or refused. */
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { CommandResult } from '../core/release/command.ts';
import { answerAndLinger, plainHeaders, readBody } from './body.ts';
import { BODY_BYTES_MAX } from './contract.ts';

export type Call = Context<{ Bindings: HttpBindings }>;

export type BodyText =
  | { readonly kind: 'text'; readonly text: string }
  /** The call is answered already, or is to be answered like this. */
  | { readonly kind: 'answered'; readonly answer: Response };

/** The body of a request, whole and as text. */
export async function readText(call: Call): Promise<BodyText> {
  const { incoming, outgoing } = call.env;
  const body = await readBody(incoming, outgoing, BODY_BYTES_MAX);
  if (body.kind === 'aborted') return { kind: 'answered', answer: RESPONSE_ALREADY_SENT };
  if (body.kind === 'too-large') {
    const text = line(`Request body is larger than ${BODY_BYTES_MAX} bytes`);
    answerAndLinger(incoming, outgoing, { status: 413, text });
    return { kind: 'answered', answer: RESPONSE_ALREADY_SENT };
  }
  const text = decodeUtf8(body.bytes);
  if (text === null) return { kind: 'answered', answer: fail(call, 400, 'Request body is not valid UTF-8') };
  return { kind: 'text', text };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id in the path in lower case, or null when it is no UUID. */
export function idOf(call: Call): string | null {
  const id = (call.req.param('id') ?? '').toLowerCase();
  return UUID.test(id) ? id : null;
}

export function json(call: Call, value: unknown): Response {
  const text = JSON.stringify(value);
  return call.body(text, 200, {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(text)),
  });
}

/** How the answer to a PUT is written. */
export type PutForm = 'text' | 'ndjson';

/** 202 without a body. */
export function accepted(call: Call): Response {
  return call.body(null, 202, { 'Content-Length': '0' });
}

/** What a refused command is answered with. */
const STATUS_OF = { 'unknown-id': 404, conflict: 409, storage: 507, internal: 500 } as const;

export function refused(call: Call, result: Extract<CommandResult, { readonly kind: 'refused' }>): Response {
  return fail(call, STATUS_OF[result.because], result.reason);
}

export function unknownVersion(call: Call): Response {
  return fail(call, 404, `Version ${JSON.stringify(call.req.param('id') ?? '')} is not known`);
}

export function wrongMethod(call: Call, allow: string): Response {
  return fail(call, 405, `Method ${call.req.method} is not allowed here, only ${allow}`, { Allow: allow });
}

export function fail(
  call: Call,
  status: 400 | 403 | 404 | 405 | 409 | 500 | 507,
  reason: string,
  headers: Record<string, string> = {},
): Response {
  const text = line(reason);
  return call.body(text, status, { ...plainHeaders(text), ...headers });
}

/** One line whatever came in: control characters would let a value forge further lines. */
export function line(reason: string): string {
  return `${reason.replace(/\p{Cc}+/gu, ' ')}\n`;
}

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
