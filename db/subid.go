package db

import "encoding/binary"

// The ids of all that belongs to one batch share its id but for the low 36 bits: four bits of kind, 32 of ordinal. So an id
// tells what it is, and finding it is arithmetic and one look into an index (README, "Ids").
//
//	tttttttt-tttt-7rrr-yrrr-rrrKoooooooo
const (
	SubBatch             byte = 0x0 // the batch itself
	SubJob               byte = 0x1 // an execution job; ordinal: its number
	SubSeed              byte = 0x2 // a seed job; ordinal: its run
	SubMonitor           byte = 0x3 // a monitor job; ordinal: its check
	SubTaskIncident      byte = 0x4 // an incident that the batch made on a task; ordinal: the item
	SubDefinition        byte = 0x5 // the definition of the execution jobs
	SubSeedDefinition    byte = 0x6 // the definition of the seed jobs
	SubMonitorDefinition byte = 0x7 // the definition of the monitor jobs
	SubFailureLog        byte = 0x8 // a failure in the job log; ordinal: its number in the batch
	SubCreationLog       byte = 0x9 // a creation in the job log; +1 of a seed job, +2 of a monitor job
	SubJobIncident       byte = 0xc // a failedJob incident; ordinal: the failure that caused it
	SubEndLog            byte = 0xd // a success or deletion in the job log; +1 of a seed job, +2 of a monitor job
)

// BatchBase gives the id of a batch: a fresh UUIDv7 with its low 36 bits cleared.
func BatchBase(id ID) ID { return id.Sub(SubBatch, 0) }

// Sub gives the id of something that belongs to the batch id.
func (id ID) Sub(kind byte, ordinal uint32) ID {
	id[11] = id[11]&0xf0 | kind
	binary.BigEndian.PutUint32(id[12:], ordinal)
	return id
}

// Split gives the batch that id would belong to, and what it would be there. Whether that batch exists is for the caller
// to ask.
func (id ID) Split() (base ID, kind byte, ordinal uint32) {
	return id.Sub(SubBatch, 0), id[11] & 0x0f, binary.BigEndian.Uint32(id[12:])
}

// Mark gives 63 bits that tell a batch from every other one for as long as it matters: 25 bits of its time and its 38 random
// bits. They are what external_task_state.set_by says.
func (id ID) Mark() int64 {
	millis := uint64(id[2])<<24 | uint64(id[3])<<16 | uint64(id[4])<<8 | uint64(id[5])
	random := uint64(id[6]&0x0f)<<34 | uint64(id[7])<<26 | uint64(id[8]&0x3f)<<20 | uint64(id[9])<<12 | uint64(id[10])<<4 | uint64(id[11]>>4)
	return int64(millis&(1<<25-1)<<38 | random) //nolint:gosec // 63 bits
}

// JobKind is what a job does for its batch. A job's id has it as its kind.
type JobKind int16

// The kinds of jobs.
const (
	ExecutionJob JobKind = 1 // sets items
	SeedJob      JobKind = 2 // makes execution jobs
	MonitorJob   JobKind = 3 // ends the batch
)

// Definition gives the id of the job definition of such jobs of a batch.
func (k JobKind) Definition(batch ID) ID { return batch.Sub(SubDefinition+byte(k)-1, 0) } //nolint:gosec // 1 to 3

// JobKindOf gives the kind of jobs that a definition's kind of id stands for; ok is false if it is no definition.
func JobKindOf(sub byte) (kind JobKind, ok bool) {
	if sub < SubDefinition || sub > SubMonitorDefinition {
		return 0, false
	}
	return JobKind(sub - SubDefinition + 1), true
}
