/** The REST calls: each turns a request into a command or a question for the controller, and the result into an answer. */
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { answerAndLinger, plainHeaders, readBody } from './body.ts';
import { type ApiLog, BODY_BYTES_MAX, CLUSTER_PATH, type ClusterParser, type ReleaseControl } from './contract.ts';

export interface HandlerNeeds {
  readonly control: ReleaseControl;
  readonly parse: ClusterParser;
  readonly log: ApiLog;
}

/** What a refused command is answered with. */
const STATUS_OF = { 'unknown-id': 404, conflict: 409, storage: 507, internal: 500 } as const;

type Call = Context<{ Bindings: HttpBindings }>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function createHandlers(needs: HandlerNeeds): Hono<{ Bindings: HttpBindings }> {
  const { control, log } = needs;
  const app = new Hono<{ Bindings: HttpBindings }>();

  // GET serves HEAD too: Hono runs the same handler and drops the body.
  for (const path of [CLUSTER_PATH, `${CLUSTER_PATH}/`]) {
    app.get(path, (call) => json(call, control.list()));
    app.put(path, (call) => putVersion(call, needs));
    app.all(path, (call) => wrongMethod(call, 'GET, HEAD, PUT'));
  }

  const one = `${CLUSTER_PATH}/:id`;
  app.get(one, (call) => {
    const id = idOf(call);
    const view = id === null ? undefined : control.find(id);
    return view === undefined ? unknownVersion(call) : json(call, view);
  });
  app.delete(one, (call) => deleteVersion(call, needs));
  app.all(one, (call) => wrongMethod(call, 'GET, HEAD, DELETE'));

  app.notFound((call) => fail(call, 404, `Path ${JSON.stringify(call.req.path)} is not known`));
  app.onError((error, call) => {
    log.write('ERROR', 'api', `Answering ${call.req.method} ${call.req.path} failed: ${error.stack ?? error.message}`);
    return fail(call, 500, 'Answering failed, the log has the reason');
  });
  return app;
}

async function putVersion(call: Call, { control, parse, log }: HandlerNeeds): Promise<Response> {
  const { incoming, outgoing } = call.env;
  const body = await readBody(incoming, outgoing, BODY_BYTES_MAX);
  if (body.kind === 'aborted') return RESPONSE_ALREADY_SENT;
  if (body.kind === 'too-large') {
    const text = line(`Request body is larger than ${BODY_BYTES_MAX} bytes`);
    answerAndLinger(incoming, outgoing, { status: 413, text });
    return RESPONSE_ALREADY_SENT;
  }
  const text = decodeUtf8(body.bytes);
  if (text === null) return fail(call, 400, 'Request body is not valid UTF-8');
  const parsed = parse(text);
  if (!parsed.ok) return fail(call, 400, parsed.errors.join('; '));
  for (const warning of parsed.warnings) log.write('WARNING', 'api', warning);
  const result = await control.submit({ kind: 'put', spec: parsed.value, origin: 'rest' });
  if (result.kind === 'accepted') return call.body(result.id, 202, plainHeaders(result.id));
  return fail(call, STATUS_OF[result.because], result.reason);
}

async function deleteVersion(call: Call, { control }: HandlerNeeds): Promise<Response> {
  const id = idOf(call);
  if (id === null) return unknownVersion(call);
  const result = await control.submit({ kind: 'delete', id });
  if (result.kind === 'accepted') return call.body(null, 202, { 'Content-Length': '0' });
  return fail(call, STATUS_OF[result.because], result.reason);
}

/** The id in the path in lower case, or null when it is no UUID. */
function idOf(call: Call): string | null {
  const id = (call.req.param('id') ?? '').toLowerCase();
  return UUID.test(id) ? id : null;
}

function json(call: Call, value: unknown): Response {
  const text = JSON.stringify(value);
  return call.body(text, 200, {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(text)),
  });
}

function unknownVersion(call: Call): Response {
  return fail(call, 404, `Version ${JSON.stringify(call.req.param('id') ?? '')} is not known`);
}

function wrongMethod(call: Call, allow: string): Response {
  return fail(call, 405, `Method ${call.req.method} is not allowed here, only ${allow}`, { Allow: allow });
}

function fail(
  call: Call,
  status: 400 | 404 | 405 | 409 | 500 | 507,
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
