/** `node idle-client.ts PORT COUNT`: opens connections, has one answer on each, prints `ready` and keeps them. */
import { connect } from 'node:net';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const REQUEST = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
/** No proxy has to take all of them in one moment. */
const AT_ONCE = 100;

for (let opened = 0; opened < count; opened += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - opened) }, open));
}
console.log('ready');

function open(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', port }, () => socket.write(REQUEST));
  socket.once('data', () => resolve());
  socket.once('error', reject).once('close', () => process.exit(1));
  return promise;
}
