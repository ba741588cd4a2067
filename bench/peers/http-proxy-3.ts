/** http-proxy-3 from npm. */
import { npmPeer, serveProxyServer } from './npm.ts';
import type { Peer } from './peer.ts';

export const httpProxy3: Peer = npmPeer('http-proxy-3', import.meta.filename);

if (import.meta.main) serveProxyServer('http-proxy-3');
