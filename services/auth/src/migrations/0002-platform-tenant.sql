-- One tenant runs the installation: its administrators see to the cluster, the licence and the other tenants.
ALTER TABLE tenants ADD COLUMN platform boolean NOT NULL DEFAULT false;
UPDATE tenants SET platform = true WHERE name = 'default';
CREATE UNIQUE INDEX tenants_one_platform ON tenants (platform) WHERE platform;
