/**
 * What is thrown at the config service. Run as a program with a port, it throws all of it, again and again, one of each kind at a
 * time, and prints a line after each round.
 */
import { connect } from 'node:net';

const PATH = '/configuration/cluster';
const GOOD = '{"cluster":{"servers":[{"hostname":"127.0.0.1","port":9}],"version":"666"}}';

export interface Nuisance {
  readonly name: string;
  readonly bytes: Buffer;
  /** The statuses that are an answer to it; none: it is waited for what does not come. */
  readonly statuses: readonly number[];
}

export const NUISANCES: readonly Nuisance[] = [
  nuisance('garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400),
  nuisance('half a header', `PUT ${PATH} HTTP/1.1\r\nHost: loc`),
  nuisance('half a body', `PUT ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"clu`),
  nuisance('a huge body', request('PUT', 'a'.repeat(4_000_000)), 413),
  nuisance('a large body that is no JSON', request('PUT', '['.repeat(500_000)), 400),
  nuisance('a huge header', `GET ${PATH} HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 431),
  nuisance('a cluster without servers', request('PUT', '{"cluster":{"servers":[]}}'), 400),
  nuisance('a name that somebody points at us', request('PUT', GOOD, 'Host: attacker.example'), 403),
  nuisance('a foreign page', request('PUT', GOOD, 'Host: localhost\r\nOrigin: http://attacker.example'), 403),
  nuisance('an id that is not there', request('DELETE', '', 'Host: localhost', `${PATH}/${'0'.repeat(8)}`), 404),
  nuisance('a list', request('GET', ''), 200),
];

/** Sends it; resolves with the beginning of the answer, or with '' when there is none for a while or at all. */
export function throwAt(port: number, { bytes }: Nuisance, patienceMs: number): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on('error', () => {}).on('close', () => resolve(got));
    socket.on('data', (data) => {
      got += data.toString('latin1');
      socket.destroy();
    });
    socket.write(bytes);
  });
}

function nuisance(name: string, text: string, ...statuses: readonly number[]): Nuisance {
  return { name, bytes: Buffer.from(text, 'latin1'), statuses };
}

function request(method: string, body: string, lines = 'Host: localhost', path = PATH): string {
  return `${method} ${path} HTTP/1.1\r\n${lines}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

if (import.meta.main) {
  const port = Number(process.argv[2]);
  for (;;) {
    await Promise.all(NUISANCES.map((one) => throwAt(port, one, 50)));
    console.log('round');
  }
}
