-- Every room's first tables. Statements are separated by a blank line.

create schema if not exists keys;

create schema if not exists core;

create schema if not exists auth;

create schema if not exists scoring;

create schema if not exists incentives;

create sequence auth.source_subject_seq;

CREATE TABLE auth.citizen (
    id UUID NOT NULL,
    account BYTEA NOT NULL,
    id_digest BYTEA NOT NULL,
    sealed_profile BYTEA NOT NULL,
    acr SMALLINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_citizen PRIMARY KEY (id),
    CONSTRAINT uq_citizen_account UNIQUE (account),
    CONSTRAINT uq_citizen_id_digest UNIQUE (id_digest)
);

CREATE TABLE auth.client (
    client_id TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    public BOOLEAN NOT NULL,
    jwks JSONB NOT NULL,
    scopes TEXT[] NOT NULL,
    redirect_uris TEXT[] NOT NULL,
    kinds TEXT[] NOT NULL,
    perks TEXT[] NOT NULL,
    sealed_digest_key BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_client PRIMARY KEY (client_id),
    CONSTRAINT ck_client_role CHECK (role in ('citizen', 'partner', 'source', 'citycard', 'staff'))
);

CREATE TABLE auth.code_use (
    hash BYTEA NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_code_use PRIMARY KEY (hash)
);

CREATE TABLE auth.consent (
    id UUID NOT NULL,
    citizen_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    one_use BOOLEAN NOT NULL,
    notice_version INTEGER NOT NULL,
    notice_digest TEXT NOT NULL,
    sources TEXT[] NOT NULL,
    subject UUID,
    given_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    receipt TEXT NOT NULL,
    CONSTRAINT pk_consent PRIMARY KEY (id),
    CONSTRAINT uq_consent_subject UNIQUE (subject)
);

CREATE INDEX ix_consent_citizen_id_purpose ON auth.consent (citizen_id, purpose);

CREATE TABLE auth.source_subject (
    source TEXT NOT NULL,
    digest BYTEA NOT NULL,
    citizen_id UUID,
    consent_id UUID,
    seq BIGINT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_source_subject PRIMARY KEY (source, digest),
    CONSTRAINT ck_source_subject_left_is_nobody CHECK ((citizen_id is null) = (left_at is not null))
);

CREATE INDEX ix_source_subject_citizen_id ON auth.source_subject (citizen_id) WHERE citizen_id is not null;

CREATE INDEX ix_source_subject_source_seq ON auth.source_subject (source, seq);

CREATE TABLE core.audit_entry (
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor_kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    purpose TEXT NOT NULL,
    outcome TEXT NOT NULL,
    owner UUID,
    detail JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_audit_entry PRIMARY KEY (id)
);

CREATE INDEX ix_audit_entry_owner_id ON core.audit_entry (owner, id) WHERE owner is not null;

CREATE TABLE core.civil_offset (
    one BOOLEAN NOT NULL CONSTRAINT ck_civil_offset_one_row CHECK (one),
    moved INTERVAL NOT NULL,
    CONSTRAINT pk_civil_offset PRIMARY KEY (one)
);

CREATE TABLE core.idempotency (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    input JSONB NOT NULL,
    status SMALLINT,
    body BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency PRIMARY KEY (caller, key)
);

CREATE TABLE core.release (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    digest TEXT NOT NULL,
    effective_on DATE NOT NULL,
    drafted_by TEXT NOT NULL,
    drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    approved_by TEXT,
    approved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_release PRIMARY KEY (id),
    CONSTRAINT ck_release_two_persons CHECK (approved_by <> drafted_by),
    CONSTRAINT ck_release_approved_whole CHECK ((approved_by is null) = (approved_at is null)),
    CONSTRAINT uq_release_kind_name_digest UNIQUE (kind, name, digest)
);

CREATE TABLE incentives.credit_code (
    hash BYTEA NOT NULL,
    citizen_id UUID NOT NULL,
    consent_id UUID NOT NULL,
    perk_id TEXT NOT NULL,
    partner_id TEXT,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_credit_code PRIMARY KEY (hash)
);

CREATE INDEX ix_credit_code_citizen_id ON incentives.credit_code (citizen_id);

CREATE INDEX ix_credit_code_expires_at ON incentives.credit_code (expires_at);

CREATE TABLE incentives.credit_code_use (
    hash BYTEA NOT NULL,
    decision_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_credit_code_use PRIMARY KEY (hash)
);

CREATE TABLE incentives.decision (
    id UUID NOT NULL,
    partner_id TEXT NOT NULL,
    perk_id TEXT NOT NULL,
    citizen_id UUID,
    granted BOOLEAN NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_decision PRIMARY KEY (id)
);

CREATE INDEX ix_decision_citizen_id ON incentives.decision (citizen_id);

CREATE TABLE incentives.perk (
    perk_id TEXT NOT NULL,
    release_id UUID NOT NULL,
    threshold INTEGER NOT NULL,
    CONSTRAINT pk_perk PRIMARY KEY (perk_id)
);

CREATE TABLE keys.person_key (
    owner UUID NOT NULL,
    purpose TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    wrapped BYTEA NOT NULL,
    CONSTRAINT pk_person_key PRIMARY KEY (owner, purpose)
);

CREATE TABLE scoring.batch (
    id UUID NOT NULL,
    source TEXT NOT NULL,
    received INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_batch PRIMARY KEY (id)
);

CREATE TABLE scoring.link (
    citizen_id UUID NOT NULL,
    consent_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    CONSTRAINT pk_link PRIMARY KEY (citizen_id)
);

CREATE TABLE scoring.live (
    record_subject UUID NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    epoch INTEGER NOT NULL,
    sealed_owner BYTEA NOT NULL,
    CONSTRAINT pk_live PRIMARY KEY (record_subject)
);

CREATE TABLE scoring.record (
    id UUID NOT NULL,
    record_subject UUID NOT NULL,
    source TEXT NOT NULL,
    ref TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    provider TEXT NOT NULL,
    occurred_on DATE NOT NULL,
    quantity BIGINT NOT NULL,
    level SMALLINT,
    severity TEXT,
    from_on DATE,
    until_on DATE,
    sealed BYTEA NOT NULL,
    status TEXT NOT NULL,
    batch_id UUID NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_record PRIMARY KEY (id),
    CONSTRAINT ck_record_status CHECK (status in ('active', 'disputed', 'hidden', 'repaired', 'revoked')),
    CONSTRAINT uq_record_record_subject_source_ref UNIQUE (record_subject, source, ref)
);

CREATE INDEX ix_record_source_ref ON scoring.record (source, ref);

CREATE TABLE scoring.refusal (
    citizen_id UUID NOT NULL,
    kind TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_refusal PRIMARY KEY (citizen_id, kind)
);

CREATE UNLOGGED TABLE scoring.staging (
    batch_id UUID NOT NULL,
    line INTEGER NOT NULL,
    id UUID NOT NULL,
    citizen_id UUID NOT NULL,
    record_subject UUID NOT NULL,
    source TEXT NOT NULL,
    ref TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    provider TEXT NOT NULL,
    occurred_on DATE NOT NULL,
    quantity BIGINT NOT NULL,
    level SMALLINT,
    severity TEXT,
    from_on DATE,
    until_on DATE,
    sealed BYTEA NOT NULL,
    staged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_staging PRIMARY KEY (batch_id, line)
);

CREATE TABLE scoring.standing (
    citizen_id UUID NOT NULL,
    consent_id UUID NOT NULL,
    scorecard TEXT NOT NULL,
    points INTEGER NOT NULL,
    tier TEXT NOT NULL,
    held BOOLEAN NOT NULL,
    as_of DATE NOT NULL,
    computed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_standing PRIMARY KEY (citizen_id)
);

CREATE TABLE scoring.standing_change (
    id UUID NOT NULL,
    citizen_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    as_of DATE NOT NULL,
    points INTEGER NOT NULL,
    cause TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    CONSTRAINT pk_standing_change PRIMARY KEY (id)
);

CREATE INDEX ix_standing_change_citizen_id_id ON scoring.standing_change (citizen_id, id);

CREATE TABLE auth.code (
    hash BYTEA NOT NULL,
    client_id TEXT NOT NULL,
    citizen_id UUID NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    jkt TEXT,
    scope TEXT NOT NULL,
    auth_time TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_code PRIMARY KEY (hash),
    CONSTRAINT fk_code_client_id FOREIGN KEY(client_id) REFERENCES auth.client (client_id)
);

CREATE TABLE auth.consent_end (
    consent_id UUID NOT NULL,
    reason TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_consent_end PRIMARY KEY (consent_id),
    CONSTRAINT fk_consent_end_consent_id FOREIGN KEY(consent_id) REFERENCES auth.consent (id)
);

CREATE TABLE auth.consent_source_end (
    consent_id UUID NOT NULL,
    source TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_consent_source_end PRIMARY KEY (consent_id, source),
    CONSTRAINT fk_consent_source_end_consent_id FOREIGN KEY(consent_id) REFERENCES auth.consent (id)
);

CREATE TABLE auth.session (
    hash BYTEA NOT NULL,
    citizen_id UUID NOT NULL,
    csrf TEXT NOT NULL,
    auth_time TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_session PRIMARY KEY (hash),
    CONSTRAINT fk_session_citizen_id FOREIGN KEY(citizen_id) REFERENCES auth.citizen (id) ON DELETE CASCADE
);

CREATE INDEX ix_session_citizen_id ON auth.session (citizen_id);

CREATE TABLE auth.token (
    jti_hash BYTEA NOT NULL,
    client_id TEXT NOT NULL,
    citizen_id UUID,
    scope TEXT NOT NULL,
    code_hash BYTEA,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_token PRIMARY KEY (jti_hash),
    CONSTRAINT fk_token_client_id FOREIGN KEY(client_id) REFERENCES auth.client (client_id)
);

CREATE INDEX ix_token_code_hash ON auth.token (code_hash) WHERE code_hash is not null;

CREATE INDEX ix_token_expires_at ON auth.token (expires_at);
