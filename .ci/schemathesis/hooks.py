"""What schemathesis cannot know of the contract by itself."""
import datetime

import schemathesis
from hypothesis import strategies as st

# The contract's form of dates, and RFC 3339.
DATES = st.builds(
    lambda t, zone: t.strftime('%Y-%m-%dT%H:%M:%S.') + f'{t.microsecond // 1000:03d}' + zone,
    st.datetimes(min_value=datetime.datetime(1970, 1, 1), max_value=datetime.datetime(2099, 12, 31)),
    st.sampled_from(['+0000', '+0200', '-0930', 'Z', '+02:00']),
)
schemathesis.openapi.format('date-time-rfc822', DATES)


def lenient(name, value):
    """Tells whether a query parameter is one that is read more leniently than the document says, as in the reference: an empty date
    or page is none, and of a number the fraction does not count (README, difference 9)."""
    if not isinstance(value, str):
        return isinstance(value, float)
    if value == '':
        return name not in ('sortBy', 'sortOrder')
    try:
        return float(value) != int(value, 10)
    except ValueError:
        return '.' in value or 'e' in value.lower()


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what would be called wrong and is not."""
    return not any(lenient(name, value) for name, value in (case.query or {}).items())


@schemathesis.hook
def before_call(context, case, kwargs):
    """Keeps workers from waiting for tasks longer than the test lasts."""
    if isinstance(case.body, dict) and isinstance(case.body.get('asyncResponseTimeout'), int):
        case.body['asyncResponseTimeout'] = min(case.body['asyncResponseTimeout'], 10)
