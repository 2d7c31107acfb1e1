package postgres

// statement is SQL that is prepared on each connection when it first runs there.
// docs/decisions lists every one, with what each engine's documentation says of it.
type statement struct{ name, sql string }

var (
	// Transactions.
	beginWriting = &statement{"bw", "BEGIN ISOLATION LEVEL SERIALIZABLE"}
	beginReading = &statement{"br", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"}
	beginArchive = &statement{"ba", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
	commit       = &statement{"co", "COMMIT"}
	rollback     = &statement{"ro", "ROLLBACK"}

	// What was read: is it still so?
	versionsOfKeys = &statement{"vk", "SELECT k, ver FROM garrison_kv WHERE k = ANY($1::bytea[])"}
	sumOfRange     = &statement{"sr", "SELECT CAST(count(*) AS bigint), CAST(coalesce(sum(ver), 0) AS text) FROM garrison_kv WHERE k >= $1::bytea AND k < $2::bytea"}
	sumFrom        = &statement{"sf", "SELECT CAST(count(*) AS bigint), CAST(coalesce(sum(ver), 0) AS text) FROM garrison_kv WHERE k >= $1::bytea"}
	versionsOfRows = &statement{"vr", "SELECT last, ver FROM garrison_rows WHERE stream = $1::bigint AND last = ANY($2::bigint[])"}

	// Reads. What is larger than inlineBytes comes by itself.
	readKeys  = &statement{"rk", "SELECT k, ver, CASE WHEN length(v) <= $2::bigint THEN v END FROM garrison_kv WHERE k = ANY($1::bytea[])"}
	readKey   = &statement{"r1", "SELECT ver, v FROM garrison_kv WHERE k = $1::bytea"}
	pageUp    = &statement{"pu", "SELECT k, ver, CASE WHEN length(v) <= $4::bigint THEN v END FROM garrison_kv WHERE k >= $1::bytea AND k < $2::bytea ORDER BY k LIMIT $3::bigint"}
	pageFrom  = &statement{"pf", "SELECT k, ver, CASE WHEN length(v) <= $3::bigint THEN v END FROM garrison_kv WHERE k >= $1::bytea ORDER BY k LIMIT $2::bigint"}
	pageDown  = &statement{"pd", "SELECT k, ver, CASE WHEN length(v) <= $4::bigint THEN v END FROM garrison_kv WHERE k >= $1::bytea AND k < $2::bytea ORDER BY k DESC LIMIT $3::bigint"}
	pageAbove = &statement{"pa", "SELECT k, ver, CASE WHEN length(v) <= $3::bigint THEN v END FROM garrison_kv WHERE k >= $1::bytea ORDER BY k DESC LIMIT $2::bigint"}

	// Writes.
	putKeys    = &statement{"wk", "INSERT INTO garrison_kv (k, ver, v) SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) ON CONFLICT (k) DO UPDATE SET ver = excluded.ver, v = excluded.v"}
	deleteKeys = &statement{"dk", "DELETE FROM garrison_kv WHERE k = ANY($1::bytea[])"}
	putRow     = &statement{"wr", "INSERT INTO garrison_rows (stream, last, first, ver, data) VALUES ($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bytea)"}
	replaceRow = &statement{"xr", "UPDATE garrison_rows SET ver = $3::bigint, data = $4::bytea WHERE stream = $1::bigint AND last = $2::bigint"}
	deleteRow  = &statement{"dr", "DELETE FROM garrison_rows WHERE stream = $1::bigint AND last = $2::bigint"}

	// A node's own stream. advanceIf also asks whether keys still have the versions that were read, 0
	// being none, and breaks the table's check, seq >= 0, if one has not; theStream fails by a division
	// by zero if the stream is gone. A commit that is still on its way when it is asked what became of it
	// has another fence than the stream when it arrives. With them a group that nobody has overtaken commits in one round trip.
	theStream = &statement{"ts", "SELECT 1 / count(*) FROM garrison_streams WHERE id = $1::bigint"}
	advanceIf = &statement{"as", "UPDATE garrison_streams SET last = $3::bigint, beat = now(), seq = CASE WHEN seq = $2::bigint AND fence = $4::bigint AND NOT closed AND NOT EXISTS (" +
		"SELECT 1 FROM unnest($5::bytea[], $6::bigint[]) AS r (k, ver) LEFT JOIN garrison_kv ON garrison_kv.k = r.k " +
		"WHERE coalesce(garrison_kv.ver, 0) <> r.ver) THEN seq + 1 ELSE -1 END WHERE id = $1::bigint"}
	ownStream     = &statement{"os", "SELECT seq, closed FROM garrison_streams WHERE id = $1::bigint"}
	advanceStream = &statement{"ad", "UPDATE garrison_streams SET seq = seq + 1, last = $3::bigint, beat = now() WHERE id = $1::bigint AND seq = $2::bigint AND NOT closed"}
	fenceStream   = &statement{"fs", "UPDATE garrison_streams SET fence = fence + 1 WHERE id = $1::bigint RETURNING seq, fence"}
	beatStream    = &statement{"bs", "UPDATE garrison_streams SET beat = now() WHERE id = $1::bigint AND NOT closed"}
	closeStream   = &statement{"cs", "UPDATE garrison_streams SET closed = true WHERE id = $1::bigint AND NOT closed"}
	nextStream    = &statement{"ns", "UPDATE garrison_meta SET streams = streams + 1 WHERE id = 1 RETURNING streams"}
	openStream    = &statement{"op", "INSERT INTO garrison_streams (id, seq, last, closed, events, fence, beat) VALUES ($1::bigint, 0, 0, false, $2::boolean, 0, now())"}

	// All nodes' streams.
	closeSilent  = &statement{"ci", "UPDATE garrison_streams SET closed = true WHERE NOT closed AND id <> $1::bigint AND beat < now() - ($2::bigint * INTERVAL '1 millisecond') RETURNING id"}
	dropEmpty    = &statement{"de", "DELETE FROM garrison_streams WHERE closed AND beat < now() - INTERVAL '1 day' AND NOT EXISTS (SELECT 1 FROM garrison_rows WHERE stream = id)"}
	listStreams  = &statement{"ls", "SELECT id, closed FROM garrison_streams WHERE events AND (NOT closed OR EXISTS (SELECT 1 FROM garrison_rows WHERE stream = id)) ORDER BY id"}
	openStreams  = &statement{"on", "SELECT id, last FROM garrison_streams WHERE NOT closed AND events AND id <> $1::bigint ORDER BY id"}
	streamsSoFar = &statement{"so", "SELECT streams FROM garrison_meta WHERE id = 1"}
	pageOfRows   = &statement{"pr", "SELECT last, first, CASE WHEN length(data) <= $4::bigint THEN data END FROM garrison_rows WHERE stream = $1::bigint AND last > $2::bigint ORDER BY last LIMIT $3::bigint"}
	rowData      = &statement{"rd", "SELECT data FROM garrison_rows WHERE stream = $1::bigint AND last = $2::bigint"}
	rowState     = &statement{"rs", "SELECT first, ver FROM garrison_rows WHERE stream = $1::bigint AND last = $2::bigint"}

	// A copy of the whole.
	allStreams = &statement{"al", "SELECT id FROM garrison_streams WHERE events AND EXISTS (SELECT 1 FROM garrison_rows WHERE stream = id) ORDER BY id"}

	// A store being restored. theRestore fails by a division by zero where it is no longer this one.
	theRestore = &statement{"tr", "UPDATE garrison_meta SET format = format / CASE WHEN release = $1::text THEN 1 ELSE 0 END WHERE id = 1"}
	inUse      = &statement{"iu", "SELECT 1 FROM garrison_streams WHERE NOT closed AND beat > now() - INTERVAL '1 minute' UNION ALL " +
		"SELECT 1 WHERE EXISTS (SELECT 1 FROM garrison_kv) OR EXISTS (SELECT 1 FROM garrison_rows)"}
	addStream    = &statement{"ax", "INSERT INTO garrison_streams (id, seq, last, closed, events, fence, beat) VALUES ($1::bigint, 0, $2::bigint, true, true, 0, now())"}
	countStreams = &statement{"cn", "SELECT count(*), (SELECT streams FROM garrison_meta WHERE id = 1) FROM garrison_streams"}
	setMeta      = &statement{"sm", "UPDATE garrison_meta SET format = $1::bigint, release = $2::text, streams = $3::bigint WHERE id = 1"}

	// The database's clock, in microseconds since 1970.
	clock = &statement{"ck", "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"}
)
