-- Who may call the API, and the keys they call it with.
--
-- The first file. A key is stored as the SHA-256 of what the user was shown once; the prefix is
-- there to recognise it by. Without an expires_at of its own a key is valid for two hours.

CREATE TABLE IF NOT EXISTS api_users (
    user_id SERIAL PRIMARY KEY,
    username VARCHAR(255) UNIQUE NOT NULL,
    email VARCHAR(255),
    created_at TIMESTAMP DEFAULT NOW(),
    is_active BOOLEAN DEFAULT true
);

CREATE TABLE IF NOT EXISTS api_keys (
    key_id SERIAL PRIMARY KEY,
    user_id INTEGER REFERENCES api_users (user_id) ON DELETE CASCADE,
    key_hash VARCHAR(128) UNIQUE NOT NULL,
    key_prefix VARCHAR(16) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    expires_at TIMESTAMP WITH TIME ZONE DEFAULT NOW() + INTERVAL '2 hours',
    last_used_at TIMESTAMP WITH TIME ZONE,
    is_active BOOLEAN DEFAULT true,
    description TEXT
);

-- A user's keys, and what goes with a user who is deleted; the keys that expire next.
CREATE INDEX IF NOT EXISTS idx_api_keys_user_id ON api_keys (user_id);
CREATE INDEX IF NOT EXISTS idx_api_keys_expires_at ON api_keys (expires_at) WHERE is_active;

COMMENT ON TABLE api_users IS 'Accounts that may call the API, by their GitHub name';
COMMENT ON TABLE api_keys IS 'Keys of the accounts; the keys themselves are not stored';
COMMENT ON COLUMN api_keys.key_hash IS 'SHA-256 of the key, in hexadecimal';
COMMENT ON COLUMN api_keys.expires_at IS
    'Two hours after the key was made unless said otherwise; NULL: never';
