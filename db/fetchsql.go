package db

import (
	"strconv"
	"strings"
)

// fetchSQL puts a fetch together. One topic: its first tasks that nobody holds are locked. Several: the first tasks of each
// are looked at, and of all of these the first that nobody holds are locked, lest tasks be locked that are not taken. choice are
// the common table expressions that choose, lock is the update that they are for. on is one more condition of the whole, with its
// arguments, or "".
func (q Queries) fetchSQL(f *Fetch, on string, values ...any) (choice, lock string, args []any) {
	if len(f.Topics) == 1 {
		topic := &f.Topics[0]
		cond, args := q.topicSQL(f, topic)
		limit, max := limitOf(f.Max)
		args = append(append(append(args, values...), max...), f.WorkerID, topic.Until)
		return "c as materialized (select s.id from " + cond + on + f.Order.sql("s") + limit + " {skips})", lockChosen("?"), args
	}
	var parts, all, until strings.Builder
	var ends []any
	for i := range f.Topics {
		cond, more := q.topicSQL(f, &f.Topics[i])
		name := "p" + strconv.Itoa(i)
		parts.WriteString(name + " as materialized (select s.id, s.priority, s.create_time from " + cond + f.Order.sql("s") + " limit ?), ")
		all.WriteString(" union all select id, priority, create_time from " + name)
		until.WriteString(" when ? then cast(? as bigint)")
		args = append(append(args, more...), f.Max+f.Spare)
		ends = append(ends, f.Topics[i].Name, f.Topics[i].Until)
	}
	choice = parts.String() + "k as materialized (" + all.String()[len(" union all "):] + "), c as materialized (select s.id from k join " +
		justTasks + " on s.id = k.id where " + ready + on + f.Order.sql("k") + " limit ? {skips})"
	args = append(append(append(args, values...), f.Max, f.WorkerID), ends...)
	return choice, lockChosen("case topic_name" + until.String() + " end"), args
}

// plannedLimits is up to where the number of tasks of a fetch stands in the statement's text.
const plannedLimits = 100

// limitOf gives a limit, and its argument if it has one. PostgreSQL keeps the plan of a statement whose limit it can read; with a
// parameter it believes that a plan made anew is worth more than the plan costs, which is as much as the fetch itself.
func limitOf(n int) (text string, args []any) {
	if n <= plannedLimits {
		return " limit " + strconv.Itoa(n), nil
	}
	return " limit ?", []any{n}
}

// lockChosen locks what a fetch has chosen, until a time.
func lockChosen(until string) string {
	return "update external_task_state set worker_id = ?, lock_expiration = " + until + ", held = true, " + touch + " where id {oneof} select id from c {end}"
}

// topicSQL gives the tables and conditions of one topic.
func (q Queries) topicSQL(f *Fetch, topic *FetchTopic) (text string, args []any) {
	cond := "s.topic_name = ? and " + ready
	args = []any{topic.Name}
	add := func(more string, values ...any) { cond, args = cond+" and "+more, append(args, values...) }
	version := topic.VersionTagLike
	if version != nil {
		pattern := likePattern(*version)
		version = &pattern
	}
	for _, one := range []struct {
		cond  string
		value *string
	}{{"c.business_key = ?", topic.BusinessKey}, {"c.definition_id = ?", topic.DefinitionID}, {"c.definition_key = ?", topic.DefinitionKey},
		{`c.version_tag like ? escape '\'`, version}} {
		if one.value != nil {
			add(one.cond, *one.value)
		}
	}
	for _, one := range []struct {
		cond string
		list []string
	}{{"c.definition_id {texts}", topic.DefinitionIDIn}, {"c.definition_key {texts}", topic.DefinitionKeyIn}, {"c.tenant_id {texts}", topic.TenantIn}} {
		if len(one.list) > 0 {
			add(one.cond, q.texts(one.list))
		}
	}
	if topic.WithoutTenant && len(topic.TenantIn) == 0 {
		add("c.tenant_id is null")
	}
	if seen, values := q.seen(f.Caller, "c.tenant_id", ""); seen != "" {
		add("("+seen+")", values...)
	}
	if len(topic.Variables) > 0 {
		more, values := anyVariable(topic.Variables)
		add(more, values...)
	}
	return tasksFor(cond) + " where " + cond, args
}

// anyVariable gives the condition that a scope has one of some variables, equal in type and value.
func anyVariable(list []Variable) (cond string, args []any) {
	args = []any{NilID}
	for i := range list {
		v := &list[i]
		cond += " or (v.name = ? and v.type = ?"
		args = append(args, v.Name, v.Type)
		switch {
		case v.Text != nil:
			cond, args = cond+" and v.text_value = ?", append(args, *v.Text)
		case v.Long != nil:
			cond, args = cond+" and v.long_value = ?", append(args, *v.Long)
		case v.Double != nil:
			cond, args = cond+" and v.double_value = ?", append(args, *v.Double)
		}
		cond += ")"
	}
	return "exists (select 1 from variable v where v.scope_id = t.scope_id and v.task_id = ? and (" + cond[len(" or "):] + "))", args
}

// sql gives the ORDER BY of a fetch from a table. Where the order is open it is that of the index.
func (o FetchOrder) sql(table string) string {
	priority, created := table+".priority desc, ", table+".create_time"
	if !o.ByPriority && o.Created != 0 {
		priority = ""
	}
	if o.Created < 0 {
		created += " desc"
	}
	return " order by " + priority + created
}
