/** Where events go. */
export type Sink = SyslogSink | HttpsSink;

export interface SyslogSink {
  readonly transport: 'syslog-tcp' | 'syslog-tls' | 'syslog-udp';
  readonly host: string;
  readonly port: number;
  readonly format: 'json' | 'cef';
  readonly facility: number;
  /** The longest message in bytes: a longer event is shortened. At least 2,048; over UDP at most 65,507. */
  readonly maxMessageBytes: number;
  /** Of TLS: PEM, believed alone; empty for the authorities that Node.js brings along. */
  readonly ca?: string;
  /** Of TLS: the name in the certificate where it is not `host`; empty for `host`. */
  readonly serverName?: string;
}

export interface HttpsSink {
  readonly transport: 'https';
  readonly url: string;
  readonly ca: string;
  /** Goes into the Authorization header; empty for none. */
  readonly token: string;
  readonly tokenScheme: string;
}
