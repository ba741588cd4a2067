/** What a server of the matrix does to a request once its fault has begun. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Asked } from './application.ts';
import type { Fault } from './matrix.ts';

export interface Circumstances {
  readonly asked: Asked;
  /** Which request of this server it is, from 1. */
  readonly count: number;
  readonly server: Server;
  /** Every open connection of the server. */
  readonly sockets: ReadonlySet<Socket>;
}

const DRIP_PIECES = 20;
const DRIP_GAP_MS = 50;
/** Long enough that what was sent arrives on its own, before the end of the connection does. */
const DEATH_DELAY_MS = 5;

export function misbehave(fault: Fault, circumstances: Circumstances): void {
  const { asked, count } = circumstances;
  const { socket, head, body } = asked;
  const withLength = `${head}Content-Length: ${body.length}\r\n\r\n`;
  const half = body.subarray(0, body.length / 2);
  switch (fault) {
    case 'none':
    case 'never up':
    case 'resets on accept':
      asked.answer();
      return;
    case 'refuses':
      asked.answer();
      refuse(circumstances);
      return;
    case 'stands still':
      process.kill(process.pid, 'SIGSTOP');
      return;
    case 'is killed':
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'resets':
      socket.resetAndDestroy();
      return;
    case 'closes':
      socket.end();
      return;
    case 'junk':
      socket.end('this is not HTTP\r\n\r\n');
      return;
    case '500':
      asked.answer(500);
      return;
    case '502 every third':
      asked.answer(count % 3 === 0 ? 502 : 200);
      return;
    case 'hangs':
      return;
    case 'dies after the head':
      die(socket, [withLength]);
      return;
    case 'dies in the body':
      die(socket, [withLength, half]);
      return;
    case 'dies in a chunk':
      die(socket, [`${head}Transfer-Encoding: chunked\r\n\r\n${half.length.toString(16)}\r\n`, half, '\r\n']);
      return;
    case 'stalls in the body':
      socket.write(withLength);
      socket.write(half);
      return;
    case 'conflicting lengths':
      socket.end(`${head}Content-Length: ${body.length}\r\nContent-Length: ${body.length + 1}\r\n\r\n`);
      return;
    case 'drips':
      drip(asked);
      return;
    case 'fails POST':
      if (asked.method === 'POST') socket.resetAndDestroy();
      else asked.answer();
      return;
  }
}

/** Stops listening and ends its connections, each after the answer that is under way. */
function refuse({ server, sockets }: Circumstances): void {
  server.close();
  for (const socket of sockets) socket.end();
}

/** Sends these pieces, and a moment later the connection ends as that of a process that exits. */
function die(socket: Socket, pieces: readonly (string | Buffer)[]): void {
  for (const piece of pieces) socket.write(piece);
  setTimeout(() => socket.end(), DEATH_DELAY_MS);
}

function drip({ body, begin }: Asked): void {
  const size = Math.ceil(body.length / DRIP_PIECES);
  const response = begin();
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, at + size));
    at += size;
    if (at < body.length) return;
    clearInterval(timer);
    response.end();
  }, DRIP_GAP_MS);
}
