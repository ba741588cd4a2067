/**
 * The application in the test images. It runs alone in its container, by Node as it is, so it imports nothing of ours.
 *
 * Routes: `/` the version; `/seen` what the process sees of its container, as JSON; `/exit` answers, then ends with code 9;
 * `/echo` the body; `/slow` the version, after a second.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';

/**
 * `serves` does what it should; `exits` prints why and ends at once with code 3; `silent` never listens; `late` listens after
 * 1.5 s; `fails` answers 500; `leaks` keeps 1 MiB of each request, until the engine kills it for memory.
 */
export type Behaviour = 'serves' | 'exits' | 'silent' | 'late' | 'fails' | 'leaks';

const version = process.env.APP_VERSION ?? '';
const behaviour = (process.env.APP_BEHAVIOUR ?? 'serves') as Behaviour;
const port = Number(process.env.APP_PORT);
const leaked: Buffer[] = [];

if (process.env.APP_PORT !== undefined) start();

function start(): void {
  console.log(`version ${version} starts`);
  if (behaviour === 'exits') {
    console.error(`version ${version} cannot find its settings`);
    process.exit(3);
  }
  const server = createServer(answer);
  if (behaviour === 'silent') setInterval(() => {}, 60_000);
  else setTimeout(() => server.listen(port, '::'), behaviour === 'late' ? 1500 : 0);
  // The first process of a container has no default for signals.
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    if (!server.listening) process.exit(0);
  });
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('X-Version', version);
  if (behaviour === 'leaks') leaked.push(Buffer.alloc(1 << 20, 1));
  if (behaviour === 'fails') response.writeHead(500);
  switch (request.url) {
    case '/seen':
      response.end(JSON.stringify(seen()));
      return;
    case '/echo':
      request.pipe(response);
      return;
    case '/slow':
      setTimeout(() => response.end(version), 1000);
      return;
    case '/exit':
      response.end(version, () => process.exit(9));
      return;
    default:
      request.resume();
      response.end(version);
  }
}

function seen() {
  const { argv, env } = process;
  return { argv, env, cwd: process.cwd(), uid: process.getuid?.(), hostname: hostname() };
}
