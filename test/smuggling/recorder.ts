/** The server behind the proxy: it writes down each whole message that a strict reader finds in what it is sent. */
import { fieldValues } from '../kit/messages.ts';
import { type Arrival, responseText, type ScriptedServer, startServer } from '../kit/scripted-server.ts';

/** Fields that only a smuggled message, or a rule that is broken, lets through. */
const TRACES = [
  'X-Smuggled',
  'Keep-Alive',
  'Proxy-Connection',
  'HTTP2-Settings',
  'Transfer_Encoding',
  'Content_Length',
];

export interface Recorder {
  readonly server: ScriptedServer;
  /** The messages that arrived whole, in order. */
  readonly messages: readonly string[];
  clear(): void;
  /** Resolves once there are so many. */
  count(count: number): Promise<void>;
}

/** Answers each message with what it wrote down of it; a message that no strict reader would take fails the test. */
export async function startRecorder(): Promise<Recorder> {
  const messages: string[] = [];
  let changed = Promise.withResolvers<void>();
  const server = await startServer(async (arrival) => {
    if (arrival.field('expect') !== undefined) arrival.send('HTTP/1.1 100 Continue\r\n\r\n');
    const body = (await arrival.body()).toString('latin1');
    const message = describe(arrival, body);
    messages.push(message);
    changed.resolve();
    changed = Promise.withResolvers();
    arrival.send(responseText(200, arrival.head.method === 'HEAD' ? '' : message));
  });
  return {
    server,
    messages,
    clear: () => void messages.splice(0),
    count: async (count) => {
      while (messages.length < count) await changed.promise;
    },
  };
}

/** `METHOD target body`; the host where it is not `a`, and whatever should not have come. */
function describe(arrival: Arrival, body: string): string {
  const { head } = arrival;
  const host = arrival.field('host');
  const marks = [
    ...TRACES.filter((name) => arrival.field(name) !== undefined).map((name) => `!${name}`),
    ...fieldValues(head, 'upgrade')
      .filter((offer) => /h2|http/i.test(offer))
      .map((offer) => `!Upgrade: ${offer}`),
    ...arrival.trailers.map(([name, value]) => `~${name}: ${value}`),
    ...['X-Forwarded-For', 'X-Forwarded-Host']
      .filter((name) => fieldValues(head, name).length > 1)
      .map((name) => `!${name}`),
    ...(arrival.field('x-forwarded-for') === '127.0.0.1' ? [] : ['!X-Forwarded-For']),
    ...((arrival.field('x-forwarded-host') ?? '') === host ? [] : ['!X-Forwarded-Host']),
  ];
  return `${head.method} ${head.target} ${host === 'a' ? '' : `@${host} `}${body}${marks.map((mark) => ` ${mark}`).join('')}`;
}
