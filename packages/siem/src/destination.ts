/** A destination of events. */
export type Destination = SyslogDestination | HttpsDestination;

export interface SyslogDestination {
  readonly transport: 'syslog-tcp' | 'syslog-tls' | 'syslog-udp';
  readonly host: string;
  readonly port: number;
  readonly format: 'json' | 'cef';
  readonly facility: number;
  /**
   * Maximum length of a message in bytes; longer events are shortened. At least 2,048; over UDP at most
   * 65,507.
   */
  readonly maxMessageBytes: number;
  /** For TLS: PEM of the only trusted CA; empty for the public CAs of Node.js. */
  readonly ca?: string;
  /** For TLS: the name in the certificate if it is not `host`; empty for `host`. */
  readonly serverName?: string;
}

export interface HttpsDestination {
  readonly transport: 'https';
  readonly url: string;
  readonly ca: string;
  /** Sent in the Authorization header; empty for none. */
  readonly token: string;
  readonly tokenScheme: string;
}
