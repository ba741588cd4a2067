/** fast-proxy from npm, with the undici client that its documentation recommends for throughput. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { npmPeer, requireLibrary, serve } from './npm.ts';
import type { Peer } from './peer.ts';

export const fastProxy: Peer = npmPeer('fast-proxy', import.meta.filename);

type FastProxy = (options: object) => {
  readonly proxy: (request: IncomingMessage, response: ServerResponse, url: string, options: object) => void;
};

if (import.meta.main) {
  const fastProxyOf = requireLibrary('fast-proxy') as FastProxy;
  serve((base) => {
    const { proxy } = fastProxyOf({ base, undici: { connections: 1024, pipelining: 1 } });
    return (request, response) => proxy(request, response, request.url ?? '/', {});
  });
}
