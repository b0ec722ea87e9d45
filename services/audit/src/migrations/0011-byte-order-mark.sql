-- The tables in CSV of a package begin with a byte order mark.
ALTER TABLE compliance_reports ADD COLUMN bom boolean NOT NULL DEFAULT false;
ALTER TABLE compliance_schedules ADD COLUMN bom boolean NOT NULL DEFAULT false;
