-- What came with version 6: batches that are their maker's.

update batch set owner = 'anna' where id = id(01a20faa-f97b-76eb-95c5-db6000000000);
update historic_batch set owner = 'anna' where id = id(01a20faa-f97b-76eb-95c5-db6000000000)
