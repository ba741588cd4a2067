/** `fetch` without kept connections: a Cutover that ends waits a second for those to fall silent, after each test. */
const { fetch } = globalThis;
globalThis.fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set('Connection', 'close');
  return fetch(input, { ...init, headers });
};
