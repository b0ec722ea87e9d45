import pg from 'pg';
import { Client, type ClientSettings } from './client.ts';

export type PoolSettings = ClientSettings & Omit<pg.PoolConfig, keyof pg.ClientConfig | 'Client'>;

/** A pool of such connections. */
export class Pool extends pg.Pool {
  constructor(settings: PoolSettings) {
    super({ ...settings, Client: Client as unknown as new () => pg.ClientBase });
  }
}
