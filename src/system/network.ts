/** The network as the control plane uses it: to probe. The data plane owns its sockets itself. */
export interface Network {
  /** Opens a connection and closes it at once. Resolves with the first failure's cause, or null when it was accepted. */
  tryConnect(
    address: { readonly host: string; readonly port: number },
    timeoutMs: number,
  ): Promise<ConnectFailure | null>;
}

export interface ConnectFailure {
  readonly kind: 'refused' | 'timeout' | 'unreachable' | 'no-address';
  /** For the log, in the form `dial tcp 127.0.0.1:80: connection refused`. */
  readonly text: string;
}
