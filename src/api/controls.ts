/** The calls about one release: four that decide something, two that tell how it stands and what it came to. */
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { CONTROLS, type Control } from '../core/release/command.ts';
import { accepted, type Call, fail, idOf, json, readText, refused, unknownVersion, wrongMethod } from './answers.ts';
import { CLUSTER_PATH, LEDGER_PATH, type ReleaseControl } from './contract.ts';

const REASON_CHARACTERS_MAX = 500;

export function addControls(app: Hono<{ Bindings: HttpBindings }>, control: ReleaseControl): void {
  for (const kind of CONTROLS) {
    const path = `${CLUSTER_PATH}/:id/${kind}`;
    app.post(path, (call) => decide(call, control, kind));
    app.all(path, (call) => wrongMethod(call, 'POST'));
  }
  tell(app, `${CLUSTER_PATH}/:id/status`, (call) => ofId(call, (id) => control.status(id)));
  tell(app, `${CLUSTER_PATH}/:id/ledger`, (call) => ofId(call, (id) => control.ledger(id)));
  tell(app, LEDGER_PATH, (call) => json(call, control.ledger()));
}

/** A path that only tells something. */
export function tell(app: Hono<{ Bindings: HttpBindings }>, path: string, answer: (call: Call) => Response): void {
  app.get(path, answer);
  app.all(path, (call) => wrongMethod(call, 'GET, HEAD'));
}

function ofId(call: Call, ask: (id: string) => unknown): Response {
  const id = idOf(call);
  const found = id === null ? undefined : ask(id);
  return found === undefined ? unknownVersion(call) : json(call, found);
}

async function decide(call: Call, control: ReleaseControl, kind: Control): Promise<Response> {
  const id = idOf(call);
  if (id === null) return unknownVersion(call);
  const body = await readText(call);
  if (body.kind === 'answered') return body.answer;
  const read = readReason(body.text);
  if (!read.ok) return fail(call, 400, read.error);
  const result = await control.submit({ kind, id, reason: read.reason });
  return result.kind === 'accepted' ? accepted(call) : refused(call, result);
}

type ReasonRead =
  | { readonly ok: true; readonly reason: string | null }
  | { readonly ok: false; readonly error: string };

/** `{"reason": "..."}`, `{}` or nothing at all. The reason becomes one line: it goes to the log and the ledger. */
function readReason(text: string): ReasonRead {
  if (text.trim() === '') return { ok: true, reason: null };
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, error: 'The body must be empty or a JSON object with "reason"' };
  }
  const { reason, ...others } = value as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    return { ok: false, error: `${JSON.stringify(unknown)} is not a known key: known is reason` };
  if (reason === undefined) return { ok: true, reason: null };
  if (typeof reason !== 'string' || reason.length > REASON_CHARACTERS_MAX) {
    return { ok: false, error: `"reason" must be a text of at most ${REASON_CHARACTERS_MAX} characters` };
  }
  return { ok: true, reason: reason.replace(/\p{Cc}+/gu, ' ').trim() || null };
}

/** Undefined when it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
