import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

const PEM = /^-----BEGIN CERTIFICATE-----[\s\S]*-----END CERTIFICATE-----\s*$/;

const common = {
  /** How status, test and the place in the log know it: under another name everything is sent from `startAt` again. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be small letters, digits and hyphens, 63 at most'),
  enabled: z.boolean().default(true),
  /** Only events whose action begins with one of these; empty for all. */
  actions: z
    .array(z.string().regex(/^[a-z][a-z0-9.-]{0,99}$/, 'must begin an action, e.g. vault.entry.'))
    .max(50)
    .default([]),
  /** Where a new target begins: with the first event of the log, or with the next one. */
  startAt: z.enum(['beginning', 'now']).default('beginning'),
};

const ca = z
  .string()
  .max(50_000)
  .refine((text) => text === '' || PEM.test(text), 'must be certificates in PEM')
  .default('');

const host = z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be a host name or an IP address');

const syslogFields = {
  ...common,
  host,
  port: z.int().min(1).max(65_535),
  format: z.enum(['json', 'cef']).default('json'),
  /** As RFC 5424 numbers them; 13 is `log audit`. */
  facility: z.int().min(0).max(23).default(13),
};

/** What every receiver of RFC 5424 should take; a shorter message has no room for all that says which event it is. */
const MIN_MESSAGE_BYTES = 2_048;
/** What rsyslog takes as it comes (maxMessageSize). */
const STREAM_MESSAGE_BYTES = 8_192;
const MAX_STREAM_MESSAGE_BYTES = 1_048_576;
/** What a datagram of IPv4 holds. */
const MAX_DATAGRAM_BYTES = 65_507;

/** In bytes, without framing: a longer event is shortened. */
const messageBytes = (max: number, byDefault: number) =>
  z.int().min(MIN_MESSAGE_BYTES).max(max).default(byDefault);
const streamFields = {
  ...syslogFields,
  maxMessageBytes: messageBytes(MAX_STREAM_MESSAGE_BYTES, STREAM_MESSAGE_BYTES),
};

const target = z.discriminatedUnion('transport', [
  z.strictObject({ ...streamFields, transport: z.literal('syslog-tcp') }),
  z.strictObject({
    ...syslogFields,
    maxMessageBytes: messageBytes(MAX_DATAGRAM_BYTES, MIN_MESSAGE_BYTES),
    transport: z.literal('syslog-udp'),
  }),
  z.strictObject({
    ...streamFields,
    transport: z.literal('syslog-tls'),
    /** Believed alone when given; else the authorities that Node.js brings along. */
    ca,
    /** The name in the sink's certificate, where it is not `host`. */
    serverName: z.union([z.literal(''), host]).default(''),
  }),
  z.strictObject({
    ...common,
    transport: z.literal('https'),
    url: z.string().max(2_048).refine(isPlainHttps, 'must be an https:// URL without user name or password'),
    format: z.literal('json').default('json'),
    ca,
    token: z
      .string()
      .max(4_096)
      .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without blanks')
      .default(''),
    /** Before the token in the Authorization header, e.g. Bearer or Splunk. */
    tokenScheme: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,40}$/, 'must be one word')
      .default('Bearer'),
  }),
]);

/** Where audit events are passed on to. */
export const siem = defineSection('siem', {
  services: ['audit'],
  keys: {
    targets: setting({
      scope: 'tenant',
      schema: z
        .array(target)
        .max(10)
        .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'names a target twice'),
      default: [],
      secret: ['*.token'],
      // Also who is believed to be there: with an authority of one's own, a name server is all it takes to be the sink.
      secretFor: ['url', 'ca'],
      description: 'Where audit events are passed on to: syslog over TCP, TLS or UDP, or HTTPS.',
    }),
  },
});

function isPlainHttps(text: string): boolean {
  if (!/^https:\/\/[^/?#@\\\s]+(?:[/?#][\x21-\x7e]*)?$/.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
