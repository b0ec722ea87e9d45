import pg from 'pg';
import { forgetLibpq } from './forget-libpq.ts';

/** A connection, all of it. There is no TLS of the driver's own: who needs it gives a `stream` that has it. */
export interface ClientSettings extends Omit<pg.ClientConfig, 'connectionString' | 'ssl'> {
  /** Name or address of the server, or the folder of its socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty for a server that asks for none. */
  readonly password: string;
  readonly database: string;
}

/** A connection that is made by its settings alone, whatever the environment or a password file of libpq says. */
export class Client extends pg.Client {
  constructor(settings: ClientSettings) {
    forgetLibpq();
    const { password } = settings;
    // For an empty one the driver would look into ~/.pgpass, but not where it has to ask.
    super({ ...settings, ssl: false, password: password === '' ? () => '' : password });
  }
}
