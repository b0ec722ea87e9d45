import pg from 'pg';
import { forgetLibpq } from './forget-libpq.ts';

/** All settings of a connection. The driver's own TLS is not used; for TLS, pass an encrypted `stream`. */
export interface ClientSettings extends Omit<pg.ClientConfig, 'connectionString' | 'ssl'> {
  /** Name or address of the server, or the folder of its socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty for a server without password authentication. */
  readonly password: string;
  readonly database: string;
}

/** A connection that uses only its settings and ignores libpq's environment and password file. */
export class Client extends pg.Client {
  constructor(settings: ClientSettings) {
    forgetLibpq();
    const { password } = settings;
    // With an empty password the driver would read ~/.pgpass; a function prevents that.
    super({ ...settings, ssl: false, password: password === '' ? () => '' : password });
  }
}
