-- The session that made a pending factor: no other one confirms it. Pending factors of before are made anew.
ALTER TABLE mfa_factors ADD COLUMN set_up_in uuid;
