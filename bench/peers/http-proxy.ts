/** http-proxy from npm. */
import { npmPeer, serveProxyServer } from './npm.ts';
import type { Peer } from './peer.ts';

export const httpProxy: Peer = npmPeer('http-proxy', import.meta.filename);

if (import.meta.main) serveProxyServer('http-proxy');
