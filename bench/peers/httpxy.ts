/** httpxy from npm. */
import { npmPeer, serveProxyServer } from './npm.ts';
import type { Peer } from './peer.ts';

export const httpxy: Peer = npmPeer('httpxy', import.meta.filename);

if (import.meta.main) serveProxyServer('httpxy');
