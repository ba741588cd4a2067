/** The REST calls: each turns a request into a command or a question for the controller, and the result into an answer. */
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { CountersView } from '../core/counters.ts';
import {
  accepted,
  type Call,
  fail,
  idOf,
  json,
  line,
  readText,
  refused,
  unknownVersion,
  wrongMethod,
} from './answers.ts';
import { plainHeaders } from './body.ts';
import {
  type ApiLog,
  CLUSTER_PATH,
  type ClusterParser,
  COUNTERS_PATH,
  RELOAD_PATH,
  type ReleaseControl,
  type ReloadResult,
} from './contract.ts';
import { addControls, tell } from './controls.ts';
import { progressStream } from './progress-stream.ts';

export interface HandlerNeeds {
  readonly control: ReleaseControl;
  readonly parse: ClusterParser;
  readonly log: ApiLog;
  readonly counters: () => CountersView;
  readonly reload: () => Promise<ReloadResult>;
}

export type Handlers = Hono<{ Bindings: HttpBindings }>;

export function createHandlers(needs: HandlerNeeds): Handlers {
  const { control, log } = needs;
  const app: Handlers = new Hono();

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
  tell(app, `${one}/progress`, (call) => {
    const id = idOf(call);
    const isKnown = id !== null && control.status(id) !== undefined;
    return isKnown ? progress(call, { control, id, status: 200 }) : unknownVersion(call);
  });
  app.delete(one, (call) => deleteVersion(call, needs));
  app.all(one, (call) => wrongMethod(call, 'GET, HEAD, DELETE'));
  addControls(app, control);
  tell(app, COUNTERS_PATH, (call) => json(call, needs.counters()));
  app.post(RELOAD_PATH, async (call) => {
    const { ok, text, put = null } = await needs.reload();
    if (!ok) return fail(call, 409, text);
    const location = put === null ? {} : { Location: `${CLUSTER_PATH}/${put}` };
    return call.body(line(text), 200, { ...plainHeaders(line(text)), ...location });
  });
  app.all(RELOAD_PATH, (call) => wrongMethod(call, 'POST'));

  app.notFound((call) => fail(call, 404, `Path ${JSON.stringify(call.req.path)} is not known`));
  app.onError((error, call) => {
    log.write('ERROR', 'api', `Answering ${call.req.method} ${call.req.path} failed: ${error.stack ?? error.message}`);
    return fail(call, 500, 'Answering failed, the log has the reason');
  });
  return app;
}

async function putVersion(call: Call, { control, parse, log }: HandlerNeeds): Promise<Response> {
  const body = await readText(call);
  if (body.kind === 'answered') return body.answer;
  const wait = call.req.query('wait');
  if (wait !== undefined && wait !== 'none' && wait !== 'serving') {
    return fail(call, 400, `"wait" must be "none" or "serving", not ${JSON.stringify(wait)}`);
  }
  const parsed = parse(body.text);
  if (!parsed.ok) return fail(call, parsed.because === 'forbidden' ? 403 : 400, parsed.errors.join('; '));
  for (const warning of parsed.warnings) log.write('WARNING', 'api', warning);
  const spec = parsed.value;
  const result = await control.submit(
    { kind: 'put', spec, origin: 'rest' },
    { wait: wait === undefined ? 'a-while' : 'no' },
  );
  if (result.kind === 'refused') return refused(call, result);
  const { id } = result;
  if (wait === 'serving') return putServing(call, control, id);
  if (wait === 'none' || spec.containers.length === 0) return call.body(id, 202, plainHeaders(id));
  return progress(call, { control, id, status: 202 });
}

const NDJSON = 'application/x-ndjson';

interface Progressing {
  readonly control: ReleaseControl;
  readonly id: string;
  readonly status: 200 | 202;
}

/** How a version comes to serve, line by line. */
function progress(call: Call, { control, id, status }: Progressing): Response {
  const form = call.req.header('accept')?.includes(NDJSON) === true ? 'ndjson' : 'text';
  const type = form === 'ndjson' ? NDJSON : 'text/plain; charset=utf-8';
  return call.body(progressStream({ id, form, control }), status, {
    'Content-Type': type,
    'Cache-Control': 'no-store',
  });
}

/** `?wait=serving`: nothing until it serves, however long it takes. */
async function putServing(call: Call, control: ReleaseControl, id: string): Promise<Response> {
  const reason = await control.follow(id, { onProgress: () => {}, signal: call.req.raw.signal });
  return reason === null ? call.body(id, 200, plainHeaders(id)) : fail(call, 409, `${reason} (${id})`);
}

async function deleteVersion(call: Call, { control }: HandlerNeeds): Promise<Response> {
  const id = idOf(call);
  if (id === null) return unknownVersion(call);
  const result = await control.submit({ kind: 'delete', id });
  return result.kind === 'accepted' ? accepted(call) : refused(call, result);
}
