export { Client, type ClientSettings } from './client.ts';
export { Pool, type PoolSettings } from './pool.ts';
